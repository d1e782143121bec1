#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "job/job_spec.h"
#include "job/planner.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tessera::api {

/// A model that the farm can render with.
struct ModelEntry {
    std::string name;
    std::string hash;  ///< SHA-256 of the UNet's file, in hex
    int width = 512;   ///< native
    int height = 512;
    int steps = 20;  ///< recommended
    double cfg = 7.0;
    std::string sampler;
    bool is_default = false;
    std::string description;
    /// "scenes: mountains, sea": words that it knows, where it says so.
    std::vector<std::string> vocabulary;
    std::int64_t modified = 0;  ///< Unix seconds
};

struct SamplerEntry {
    std::string name;
    std::vector<std::string> aliases;
};

struct UpscalerEntry {
    std::string name;
    int scale = 1;
};

struct StyleEntry {
    std::string name;
    std::string prompt;
    std::string negative_prompt;
};

/// The picture of an upload, measured without trusting it.
struct UploadEntry {
    int width = 0;
    int height = 0;
    std::string media_type;  ///< by content: image/png, image/jpeg, image/webp
    bool has_alpha = false;
};

/// What the farm can do, as far as the API needs to know: the program implements it with the rooms
/// that the API must not see. Thread-safe.
class Catalog {
  public:
    virtual ~Catalog() = default;

    [[nodiscard]] virtual std::vector<ModelEntry> models() const = 0;
    [[nodiscard]] virtual std::vector<SamplerEntry> samplers() const = 0;
    /// Names as A1111 spells them ("Karras").
    [[nodiscard]] virtual std::vector<std::string> schedules() const = 0;
    [[nodiscard]] virtual std::vector<UpscalerEntry> upscalers() const = 0;
    [[nodiscard]] virtual std::vector<StyleEntry> styles() const = 0;
    [[nodiscard]] virtual std::vector<std::string> embeddings() const = 0;

    /// Everything that is left open is filled in, everything named is looked up: the spec comes
    /// back complete (model, sampler, steps, seed, …) beside what the planner needs. Errors name
    /// the field ("sampler", "size", …) and near names. Reads the uploads it names from the store.
    [[nodiscard]] virtual Result<std::pair<JobSpec, ResolvedJob>> resolve(JobSpec spec) const = 0;

    /// Decoded in a sandbox. kInvalidArgument when it is no picture within the limits.
    [[nodiscard]] virtual Result<UploadEntry> inspect(ByteView picture) const = 0;
    /// As PNG, its alpha channel taken as a mask in OpenAI's sense: black where opaque, white where
    /// transparent. kInvalidArgument when it has none.
    [[nodiscard]] virtual Result<Bytes> mask_from_alpha(ByteView picture) const = 0;
    /// A1111's parameters text of a picture, empty when there is none, and all text chunks.
    [[nodiscard]] virtual Result<std::map<std::string, std::string>> picture_texts(ByteView picture
    ) const = 0;
    /// The picture in another format; for response formats that were not asked of the job.
    [[nodiscard]] virtual Result<Bytes> convert(
        ByteView picture, const std::string& format, std::optional<int> quality
    ) const = 0;
};

}  // namespace tessera::api
