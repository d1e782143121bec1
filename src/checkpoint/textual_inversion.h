#pragma once

#include "base/result.h"
#include "base/tensor.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace tessera {

/// A word that was learned as vectors (Gal et al. 2022, "An Image is Worth One Word").
struct TextualInversion {
    /// What a prompt calls it: the file's name without its ending.
    std::string name;
    /// Of the file, in hex.
    std::string sha256;
    /// {vectors, width}, for each text encoder that it was made for; their widths differ.
    std::vector<Tensor> vectors;

    /// The vectors of that width, or nullptr.
    [[nodiscard]] const Tensor* of_width(std::int64_t width) const;
};

/// Reads a safetensors file as A1111 ("emb_params"), diffusers (one tensor called by its token) or
/// trainers for SDXL ("clip_l", "clip_g") write it: tensors {vectors, width} or {width}, at most 75
/// vectors of finite numbers. kUnsupported for a pickle (.pt, .bin) or tensors of another make,
/// kCorrupt for damaged ones.
[[nodiscard]] Result<TextualInversion> read_textual_inversion(const std::filesystem::path& path);

}  // namespace tessera
