#include "diffusion/sealed_bytes.h"

#include "base/hash.h"

#include <cstring>

namespace tessera {

namespace {

constexpr std::size_t kMagicBytes = 8;
constexpr std::size_t kChecksumBytes = 32;
constexpr std::size_t kHeaderBytes = kMagicBytes + sizeof(std::uint32_t) + kChecksumBytes;

}  // namespace

Bytes seal(const SealKind& kind, ByteView content) {
    const std::string checksum = FastHash().add(content).hex();
    Bytes sealed;
    sealed.reserve(kHeaderBytes + content.size());
    const auto append = [&](ByteView part) {
        sealed.insert(sealed.end(), part.begin(), part.end());
    };
    append(as_bytes(kind.magic));
    append(std::as_bytes(std::span(&kind.version, 1)));
    append(as_bytes(checksum));
    append(content);
    return sealed;
}

Result<ByteView> unseal(const SealKind& kind, ByteView sealed) {
    if (sealed.size() < kHeaderBytes || as_text(sealed.first(kMagicBytes)) != kind.magic) {
        return fail(ErrorKind::kCorrupt, "the bytes do not begin with {}", kind.magic);
    }
    std::uint32_t version = 0;
    std::memcpy(&version, sealed.data() + kMagicBytes, sizeof(version));
    if (version != kind.version) {
        return fail(
            ErrorKind::kUnsupported,
            "version {} of {} is not the supported {}",
            version,
            kind.magic,
            kind.version
        );
    }
    const ByteView content = sealed.subspan(kHeaderBytes);
    const auto stored = sealed.subspan(kHeaderBytes - kChecksumBytes, kChecksumBytes);
    if (as_text(stored) != FastHash().add(content).hex()) {
        return fail(ErrorKind::kCorrupt, "the checksum is wrong: the data are damaged");
    }
    return content;
}

}  // namespace tessera
