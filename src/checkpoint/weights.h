#pragma once

#include "base/result.h"
#include "checkpoint/tensor_view.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tessera {

/// A network's tensors by name, out of one safetensors file or of a set of shards. Cheap to copy:
/// copies share the mapped files, and the views live as long as any copy. Thread-safe: never
/// changes.
class Weights {
  public:
    /// A `.safetensors` file, or the `.json` index of a set of shards beside it (`weight_map`:
    /// tensor to file). Of a set, every file is opened and checked, every tensor of the map must be
    /// in its file, and no tensor in two; tensors that the map leaves out are there all the same.
    [[nodiscard]] static Result<Weights> open(const std::filesystem::path& path);

    /// nullptr when there is no tensor of that name.
    [[nodiscard]] const TensorView* find(std::string_view name) const;

    /// The tensor, known to have that shape. kNotFound when there is none of the name, with the
    /// most similar one there is; kCorrupt when its shape differs.
    [[nodiscard]] Result<TensorView> require(std::string_view name, const Shape& expected) const;

    /// Sorted.
    [[nodiscard]] std::vector<std::string_view> names() const;

    /// The sum over all tensors, as stored.
    [[nodiscard]] std::uint64_t total_bytes() const;

    /// A hash that changes whenever any of the files is replaced or its header differs: for cache
    /// keys on this machine. It does not read the values.
    [[nodiscard]] const std::string& identity() const;

    /// The file that was opened.
    [[nodiscard]] const std::filesystem::path& path() const;

  private:
    struct Content;
    explicit Weights(std::shared_ptr<const Content> content);

    std::shared_ptr<const Content> content_;
};

}  // namespace tessera
