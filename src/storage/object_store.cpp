#include "storage/object_store.h"

#include "base/hash.h"

#include <algorithm>

namespace tessera {

bool is_sha256(std::string_view text) {
    constexpr std::size_t kDigits = 64;
    return text.size() == kDigits && std::all_of(text.begin(), text.end(), [](char digit) {
               return (digit >= '0' && digit <= '9') || (digit >= 'a' && digit <= 'f');
           });
}

Result<ObjectInfo> ObjectStore::put(ByteView bytes, const std::string& media_type) {
    TESSERA_ASSIGN(const auto writer, create(sha256_hex(bytes), bytes.size(), media_type));
    TESSERA_TRY(writer->write(bytes));
    return writer->finish();
}

Result<Bytes> ObjectStore::get(const std::string& sha256) const {
    TESSERA_ASSIGN(const ObjectInfo known, info(sha256));
    TESSERA_ASSIGN(Bytes bytes, read(sha256, 0, known.bytes));
    if (sha256_hex(bytes) != sha256) {
        return fail(
            ErrorKind::kCorrupt,
            "the stored object {} is damaged: its bytes have another hash; see `tessera store "
            "verify`",
            sha256
        );
    }
    return bytes;
}

}  // namespace tessera
