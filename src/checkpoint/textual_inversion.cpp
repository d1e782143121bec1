#include "checkpoint/textual_inversion.h"

#include "base/file.h"
#include "base/hash.h"
#include "checkpoint/safetensors.h"

#include <algorithm>
#include <cmath>

namespace tessera {
namespace {

/// What one run of a CLIP text encoder can hold beside the start and end tokens.
constexpr std::int64_t kMaxVectors = 75;
constexpr std::int64_t kMaxWidth = 8192;
constexpr std::uint64_t kMaxFileBytes = std::uint64_t{64} << 20;
/// More tensors than any kind of embedding file has.
constexpr std::size_t kMaxTensors = 4;

Result<Tensor> vectors_of(const NamedTensor& named) {
    Shape shape = named.tensor.shape;
    if (shape.size() == 1) {
        shape.insert(shape.begin(), 1);
    }
    if (shape.size() != 2 || shape[0] < 1 || shape[0] > kMaxVectors || shape[1] < 1 ||
        shape[1] > kMaxWidth) {
        return fail(
            ErrorKind::kUnsupported,
            "this is no textual-inversion embedding: tensor \"{}\" has the shape {} in place of up "
            "to {} vectors",
            named.name,
            shape_text(named.tensor.shape),
            kMaxVectors
        );
    }
    TESSERA_ASSIGN(auto values, to_floats(named.tensor));
    if (!std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); })) {
        return fail(
            ErrorKind::kCorrupt, "tensor \"{}\" holds values that are not finite", named.name
        );
    }
    return Tensor(std::move(shape), std::move(values));
}

Result<TextualInversion> read(const std::filesystem::path& path) {
    const std::string ending = path.extension().string();
    if (ending == ".pt" || ending == ".bin" || ending == ".ckpt") {
        return fail(
            ErrorKind::kUnsupported,
            "{} files are Python pickles, which can run programs, and are never opened; convert it "
            "to safetensors",
            ending
        );
    }
    TESSERA_ASSIGN(const auto file, SafetensorsFile::open(path));
    const auto tensors = file.tensors();
    if (tensors.empty() || tensors.size() > kMaxTensors) {
        return fail(
            ErrorKind::kUnsupported,
            "this is no textual-inversion embedding: it has {} tensors",
            tensors.size()
        );
    }
    TextualInversion embedding;
    embedding.name = path.stem().string();
    TESSERA_ASSIGN(const auto bytes, read_file(path, kMaxFileBytes));
    embedding.sha256 = sha256_hex(as_bytes(bytes));
    for (const NamedTensor& tensor : tensors) {
        TESSERA_ASSIGN(auto vectors, vectors_of(tensor));
        embedding.vectors.push_back(std::move(vectors));
    }
    return embedding;
}

}  // namespace

const Tensor* TextualInversion::of_width(std::int64_t width) const {
    const auto found = std::find_if(vectors.begin(), vectors.end(), [&](const Tensor& tensor) {
        return tensor.shape[1] == width;
    });
    return found == vectors.end() ? nullptr : &*found;
}

Result<TextualInversion> read_textual_inversion(const std::filesystem::path& path) {
    auto embedding = read(path);
    if (!embedding) {
        Error error = std::move(embedding).error();
        if (error.message.find(path.string()) != std::string::npos) {
            return tl::unexpected(std::move(error));
        }
        return within(path.string(), std::move(error));
    }
    return embedding;
}

}  // namespace tessera
