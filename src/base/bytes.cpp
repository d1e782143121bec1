#include "base/bytes.h"

namespace tessera {

void ByteWriter::put_block(ByteView block) {
    put<std::uint64_t>(block.size());
    bytes_.insert(bytes_.end(), block.begin(), block.end());
}

Result<ByteView> ByteReader::get_block() {
    TESSERA_ASSIGN(const auto size, get<std::uint64_t>());
    if (size > rest_.size()) {
        return fail(ErrorKind::kCorrupt, "the data ends too early");
    }
    const auto block = rest_.first(size);
    rest_ = rest_.subspan(size);
    return block;
}

Result<std::string> ByteReader::get_text() {
    TESSERA_ASSIGN(const auto block, get_block());
    return std::string(as_text(block));
}

Result<std::vector<float>> ByteReader::get_floats() {
    TESSERA_ASSIGN(const auto block, get_block());
    if (block.size() % sizeof(float) != 0) {
        return fail(ErrorKind::kCorrupt, "a block of {} bytes cannot be floats", block.size());
    }
    std::vector<float> values(block.size() / sizeof(float));
    if (!values.empty()) {
        std::memcpy(values.data(), block.data(), block.size());
    }
    return values;
}

}  // namespace tessera
