#pragma once

#include "api/api_fault.h"
#include "api/catalog.h"
#include "base/bytes.h"
#include "job/job_spec.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tessera::api {

/// A call of OpenAI's Images API in our words; docs/compatibility.md says field by field what
/// becomes of it. The spec's pictures are not in the store yet.
struct OpenAiRequest {
    JobSpec spec;
    bool wants_url = false;
    bool stream = false;
    int partial_images = 0;
    std::string quality = "auto";  ///< as it was asked for
    std::string background = "auto";
    /// What of the model's own steps `quality` stands for.
    double steps_factor = 1.0;
    std::vector<std::string> remarks;
};

/// A picture of a request: lies in its body, or was base 64 there.
struct GivenPicture {
    std::string_view lent;
    Bytes own;

    [[nodiscard]] ByteView bytes() const { return own.empty() ? as_bytes(lent) : ByteView(own); }
};

struct OpenAiEdit {
    OpenAiRequest request;
    GivenPicture image;
    std::optional<GivenPicture> mask;  ///< in OpenAI's sense: painted where it is transparent
    bool has_strength = false;         ///< the client said how much is painted anew
};

/// Of a masked edit: what is transparent holds no picture that could be kept.
inline constexpr double kMaskedEditStrength = 1.0;

[[nodiscard]] Checked<OpenAiRequest> parse_openai_generation(std::string_view body);
/// As multipart/form-data or JSON. Pictures may lie in the body.
[[nodiscard]] Checked<OpenAiEdit> parse_openai_edit(
    std::string_view content_type, std::string_view body
);
[[nodiscard]] Checked<OpenAiEdit> parse_openai_variation(
    std::string_view content_type, std::string_view body
);

/// OpenAI's own models stand for the farm's default one, and `quality` for a number of steps.
void settle_openai_model(const std::vector<ModelEntry>& models, OpenAiRequest& request);

/// For in_words_of.
[[nodiscard]] std::span<const FieldName> openai_names();

}  // namespace tessera::api
