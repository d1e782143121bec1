#include "checkpoint/safetensors.h"

#include "base/file.h"
#include "base/hash.h"
#include "checkpoint/safetensors_header.h"

#include <unordered_map>
#include <utility>

namespace tessera {

struct SafetensorsFile::Content {
    MappedFile file;  // empty when the bytes are the caller's
    SafetensorsHeader header;
    std::unordered_map<std::string_view, const TensorView*> by_name;
    std::string identity;

    Content(MappedFile mapped, SafetensorsHeader checked)
        : file(std::move(mapped)), header(std::move(checked)) {
        by_name.reserve(header.tensors.size());
        for (const NamedTensor& entry : header.tensors) {
            by_name.emplace(entry.name, &entry.tensor);
        }
        identity = FastHash().add(file.identity()).add(header.json).hex();
    }
};

SafetensorsFile::SafetensorsFile(std::shared_ptr<const Content> content)
    : content_(std::move(content)) {}

Result<SafetensorsFile> SafetensorsFile::open(const std::filesystem::path& path) {
    TESSERA_ASSIGN(auto file, MappedFile::open(path));
    auto header = read_safetensors_header(file.bytes());
    if (!header) {
        auto error = std::move(header).error();
        if (error.kind == ErrorKind::kCorrupt) {
            error.message += "; download it again";
        }
        return within(path.string(), std::move(error));
    }
    return SafetensorsFile(std::make_shared<const Content>(std::move(file), *std::move(header)));
}

Result<SafetensorsFile> SafetensorsFile::parse(ByteView bytes) {
    TESSERA_ASSIGN(auto header, read_safetensors_header(bytes));
    return SafetensorsFile(std::make_shared<const Content>(MappedFile(), std::move(header)));
}

const TensorView* SafetensorsFile::find(std::string_view name) const {
    const auto found = content_->by_name.find(name);
    return found == content_->by_name.end() ? nullptr : found->second;
}

std::span<const NamedTensor> SafetensorsFile::tensors() const {
    return content_->header.tensors;
}

const std::map<std::string, std::string>& SafetensorsFile::metadata() const {
    return content_->header.metadata;
}

const std::string& SafetensorsFile::identity() const {
    return content_->identity;
}

}  // namespace tessera
