#pragma once

#include "api/a1111_options.h"
#include "api/api_fault.h"
#include "base/bytes.h"
#include "job/job_spec.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tessera::api {

enum class A1111Call : std::uint8_t { kTxt2img, kImg2img };

/// A call of A1111's API in our words; docs/compatibility.md says field by field what becomes of
/// it. The spec's pictures are not in the store yet.
struct A1111Request {
    JobSpec spec;
    std::optional<Bytes> init;
    std::optional<Bytes> mask;
    int batch_size = 1;
    bool send_images = true;
    /// What the key's options are from now on, if the request changes them for good.
    std::optional<A1111Options> kept_options;
    /// The request as A1111 repeats it in its answer: JSON, with defaults and without pictures.
    std::string parameters;
};

/// `options` are the key's.
[[nodiscard]] Checked<A1111Request> parse_a1111_request(
    A1111Call call,
    std::string_view body,
    const A1111Options& options,
    const std::vector<ModelEntry>& models
);

/// For in_words_of.
[[nodiscard]] std::span<const FieldName> a1111_names();

}  // namespace tessera::api
