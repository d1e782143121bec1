#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "checkpoint/tensor_view.h"

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace tessera {

/// One safetensors file, mapped and checked whole (but for the values) before anything of it is
/// shown. Copies share the mapping; the views live as long as any copy. Thread-safe: it never
/// changes.
class SafetensorsFile {
  public:
    /// kCorrupt or kUnsupported with the file, the tensor and what is wrong; else as
    /// MappedFile::open.
    [[nodiscard]] static Result<SafetensorsFile> open(const std::filesystem::path& path);

    /// The same over bytes in memory, which must outlive the object.
    [[nodiscard]] static Result<SafetensorsFile> parse(ByteView bytes);

    /// nullptr when there is no tensor of that name.
    [[nodiscard]] const TensorView* find(std::string_view name) const;

    /// In the order in which their data lie in the file.
    [[nodiscard]] std::span<const NamedTensor> tensors() const;

    /// The free-form `__metadata__` of the header; often empty.
    [[nodiscard]] const std::map<std::string, std::string>& metadata() const;

    /// A hash that changes whenever the file is replaced or its header differs.
    [[nodiscard]] const std::string& identity() const;

  private:
    struct Content;
    explicit SafetensorsFile(std::shared_ptr<const Content> content);

    std::shared_ptr<const Content> content_;
};

}  // namespace tessera
