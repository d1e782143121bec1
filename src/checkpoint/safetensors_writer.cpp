#include "checkpoint/safetensors_writer.h"

#include "base/file.h"
#include "base/utf8.h"
#include "checkpoint/names.h"
#include "checkpoint/safetensors_header.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstring>
#include <tuple>

namespace tessera {
namespace {

/// A file in pieces that lie apart in memory: the first owns the header's bytes, the rest are
/// views.
struct Layout {
    std::string head;  // length and padded JSON
    std::vector<ByteView> data;
};

Status check_tensor(const NamedTensor& entry) {
    const auto& [name, tensor] = entry;
    if (auto valid = check_utf8(name); !valid) {
        return within(fmt::format("tensor {}", in_quotes(name)), std::move(valid).error());
    }
    if (name == kSafetensorsMetadataKey) {
        return fail(ErrorKind::kInvalidArgument, "a tensor cannot be called {}", in_quotes(name));
    }
    if (element_count(tensor.shape) * size_of(tensor.dtype) != tensor.bytes.size()) {
        return fail(
            ErrorKind::kInvalidArgument,
            "tensor {} of shape {} and dtype {} cannot have {} bytes",
            in_quotes(name),
            shape_text(tensor.shape),
            name_of(tensor.dtype),
            tensor.bytes.size()
        );
    }
    return {};
}

Status check_metadata(const std::map<std::string, std::string>& metadata) {
    for (const auto& [key, value] : metadata) {
        if (!check_utf8(key) || !check_utf8(value)) {
            return fail(
                ErrorKind::kInvalidArgument, "the metadata at {} is not valid UTF-8", in_quotes(key)
            );
        }
    }
    return {};
}

Result<Layout> lay_out(
    std::span<const NamedTensor> tensors, const std::map<std::string, std::string>& metadata
) {
    std::vector<const NamedTensor*> ordered;
    ordered.reserve(tensors.size());
    for (const NamedTensor& entry : tensors) {
        TESSERA_TRY(check_tensor(entry));
        ordered.push_back(&entry);
    }
    TESSERA_TRY(check_metadata(metadata));
    std::sort(ordered.begin(), ordered.end(), [](const auto* left, const auto* right) {
        const auto left_size = size_of(left->tensor.dtype);
        const auto right_size = size_of(right->tensor.dtype);
        return std::tie(right_size, left->name) < std::tie(left_size, right->name);
    });

    auto header = nlohmann::ordered_json::object();
    if (!metadata.empty()) {
        header[kSafetensorsMetadataKey] = metadata;
    }
    Layout layout;
    std::uint64_t offset = 0;
    for (const NamedTensor* entry : ordered) {
        const auto& [name, tensor] = *entry;
        const std::uint64_t end = offset + tensor.bytes.size();
        const bool added = header
                               .emplace(
                                   name,
                                   nlohmann::ordered_json{
                                       {"dtype", name_of(tensor.dtype)},
                                       {"shape", tensor.shape},
                                       {"data_offsets", {offset, end}},
                                   }
                               )
                               .second;
        if (!added) {
            return fail(ErrorKind::kInvalidArgument, "two tensors are called {}", in_quotes(name));
        }
        layout.data.push_back(tensor.bytes);
        offset = end;
    }

    std::string json = header.dump();
    constexpr std::size_t kAlignment = 8;
    json.append((kAlignment - json.size() % kAlignment) % kAlignment, ' ');
    const auto length = static_cast<std::uint64_t>(json.size());
    layout.head.resize(sizeof(length));
    std::memcpy(layout.head.data(), &length, sizeof(length));
    layout.head += json;
    return layout;
}

}  // namespace

Status write_safetensors(
    const std::filesystem::path& path,
    std::span<const NamedTensor> tensors,
    const std::map<std::string, std::string>& metadata
) {
    TESSERA_ASSIGN(const auto layout, lay_out(tensors, metadata));
    AtomicFileWriter file;
    TESSERA_TRY(file.open(path));
    TESSERA_TRY(file.write(as_bytes(layout.head)));
    for (const ByteView piece : layout.data) {
        TESSERA_TRY(file.write(piece));
    }
    return file.commit();
}

Result<Bytes> encode_safetensors(
    std::span<const NamedTensor> tensors, const std::map<std::string, std::string>& metadata
) {
    TESSERA_ASSIGN(const auto layout, lay_out(tensors, metadata));
    const ByteView head = as_bytes(layout.head);
    Bytes bytes(head.begin(), head.end());
    for (const ByteView piece : layout.data) {
        bytes.insert(bytes.end(), piece.begin(), piece.end());
    }
    return bytes;
}

}  // namespace tessera
