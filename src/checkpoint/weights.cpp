#include "checkpoint/weights.h"

#include "base/hash.h"
#include "base/similar_name.h"
#include "checkpoint/checked_json.h"
#include "checkpoint/names.h"
#include "checkpoint/safetensors.h"

#include <nlohmann/json.hpp>

#include <map>
#include <utility>

namespace tessera {
namespace {

constexpr std::size_t kMaxShards = 1000;

/// Tensor name to the name of its shard.
using WeightMap = std::map<std::string, std::string>;

Result<WeightMap> parse_index(const std::string& text) {
    const auto json = nlohmann::json::parse(text, nullptr, false);
    const auto map = json.find("weight_map");
    if (map == json.end() || !map->is_object() || map->empty()) {
        return fail(ErrorKind::kCorrupt, "there is no weight_map of tensors to files");
    }
    WeightMap weight_map;
    for (const auto& [tensor, shard] : map->items()) {
        if (!shard.is_string()) {
            return fail(
                ErrorKind::kCorrupt, "the file of tensor {} is not a text", in_quotes(tensor)
            );
        }
        const auto& name = shard.get_ref<const std::string&>();
        if (!is_plain_file_name(name) || !name.ends_with(".safetensors")) {
            return fail(
                ErrorKind::kCorrupt,
                "{} is not the plain name of a safetensors file",
                in_quotes(name)
            );
        }
        weight_map.emplace(tensor, name);
    }
    return weight_map;
}

}  // namespace

struct Weights::Content {
    std::filesystem::path path;
    std::vector<SafetensorsFile> files;
    std::map<std::string_view, const TensorView*> tensors;
    std::uint64_t total_bytes = 0;
    FastHash hash;
    std::string identity;

    Status add(const SafetensorsFile& file);
    Status add_shards(const std::string& index);
};

Status Weights::Content::add(const SafetensorsFile& file) {
    for (const NamedTensor& entry : file.tensors()) {
        if (!tensors.emplace(entry.name, &entry.tensor).second) {
            return fail(
                ErrorKind::kCorrupt, "tensor {} is in more than one file", in_quotes(entry.name)
            );
        }
        total_bytes += entry.tensor.bytes.size();
    }
    hash.add(file.identity());
    files.push_back(file);
    return {};
}

Status Weights::Content::add_shards(const std::string& index) {
    TESSERA_ASSIGN(const auto weight_map, parse_index(index));
    std::map<std::string_view, const SafetensorsFile*> shards;
    for (const auto& [tensor, shard] : weight_map) {
        shards.emplace(shard, nullptr);
    }
    if (shards.size() > kMaxShards) {
        return fail(
            ErrorKind::kExhausted, "{} files; at most {} are expected", shards.size(), kMaxShards
        );
    }
    hash.add(index);
    files.reserve(shards.size());
    for (auto& [name, file] : shards) {
        auto opened = SafetensorsFile::open(path.parent_path() / name);
        if (!opened && opened.error().kind == ErrorKind::kNotFound) {
            return fail(
                ErrorKind::kCorrupt,
                "half a model: the file {} that it names is missing; download it",
                in_quotes(name)
            );
        }
        TESSERA_ASSIGN(const auto shard, std::move(opened));
        TESSERA_TRY(add(shard));
        file = &files.back();
    }
    for (const auto& [tensor, shard] : weight_map) {
        if (shards[shard]->find(tensor) == nullptr) {
            return fail(
                ErrorKind::kCorrupt,
                "tensor {} is not in {}, where the index puts it; download both again",
                in_quotes(tensor),
                in_quotes(shard)
            );
        }
    }
    return {};
}

Weights::Weights(std::shared_ptr<const Content> content) : content_(std::move(content)) {}

Result<Weights> Weights::open(const std::filesystem::path& path) {
    auto content = std::make_shared<Content>();
    content->path = path;
    if (path.extension() == ".json") {
        TESSERA_ASSIGN(const auto index, read_json_file(path));
        if (auto added = content->add_shards(index); !added) {
            return within(path.string(), std::move(added).error());
        }
    } else {
        TESSERA_ASSIGN(const auto file, SafetensorsFile::open(path));
        TESSERA_TRY(content->add(file));
    }
    content->identity = content->hash.hex();
    return Weights(std::move(content));
}

const TensorView* Weights::find(std::string_view name) const {
    const auto found = content_->tensors.find(name);
    return found == content_->tensors.end() ? nullptr : found->second;
}

Result<TensorView> Weights::require(std::string_view name, const Shape& expected) const {
    const TensorView* const tensor = find(name);
    if (tensor == nullptr) {
        const auto similar = most_similar(name, names());
        return fail(
            ErrorKind::kNotFound,
            "{}: tensor {} of shape {} is missing{}; these weights are incomplete or belong to "
            "another config.json",
            content_->path.string(),
            in_quotes(name),
            shape_text(expected),
            similar.empty() ? "" : fmt::format(" (the nearest name is {})", in_quotes(similar))
        );
    }
    if (tensor->shape != expected) {
        return fail(
            ErrorKind::kCorrupt,
            "{}: tensor {} has shape {} where {} is expected; these weights belong to another "
            "config.json",
            content_->path.string(),
            in_quotes(name),
            shape_text(tensor->shape),
            shape_text(expected)
        );
    }
    return *tensor;
}

std::vector<std::string_view> Weights::names() const {
    std::vector<std::string_view> names;
    names.reserve(content_->tensors.size());
    for (const auto& [name, tensor] : content_->tensors) {
        names.push_back(name);
    }
    return names;
}

std::uint64_t Weights::total_bytes() const {
    return content_->total_bytes;
}

const std::string& Weights::identity() const {
    return content_->identity;
}

const std::filesystem::path& Weights::path() const {
    return content_->path;
}

}  // namespace tessera
