#pragma once

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "job/render_settings.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tessera {

/// What OutputSettings::format can be.
inline constexpr std::array<std::string_view, 3> kOutputFormats = {"png", "jpeg", "webp"};

enum class JobKind : std::uint8_t {
    kRender,   ///< pictures from words, and from a picture where there is an init
    kUpscale,  ///< one picture, enlarged or repaired
};

/// Who goes first. Waiting raises the effective priority, so that none waits for ever.
enum class Priority : std::uint8_t { kBatch, kNormal, kInteractive };

struct OutputSettings {
    std::string format = "png";  ///< "png", "jpeg", "webp"
    /// 1..100 for jpeg and webp; absent: the codec's default.
    std::optional<int> quality;

    bool operator==(const OutputSettings&) const = default;
};

/// What a client asks for: the body of a submission, after its words were understood.
struct JobSpec {
    JobKind kind = JobKind::kRender;
    RenderSettings render;    ///< for kRender
    UpscaleSettings upscale;  ///< for kUpscale
    int count = 1;            ///< pictures, each with the next seed
    /// SHA-256 (hex) of uploaded objects: the picture to begin with or to enlarge, and the mask.
    std::string init;
    std::string mask;
    OutputSettings output;

    std::string tenant;
    Priority priority = Priority::kNormal;
    /// After it, tasks that have not begun are not begun any more: the job fails.
    std::optional<WallTime> deadline;
    /// Unique for the tenant; empty: none.
    std::string idempotency_key;
    /// Told when the job ends; empty: nobody.
    std::string webhook;
    /// A name that the client gave, to find the job again (A1111's force_task_id); not unique.
    std::string client_tag;
    /// W3C trace context; empty: none.
    std::string traceparent;

    bool operator==(const JobSpec&) const = default;
};

/// As tessera.v1.JobSpec (proto/tessera/v1/job.proto); see codec.h.
[[nodiscard]] std::string encode(const JobSpec& spec);
/// kCorrupt, with the field's name, when the bytes are no such message, hold an enum value that is
/// not known or do not keep to the limits of shape.h.
[[nodiscard]] Result<JobSpec> decode_job_spec(std::string_view bytes);

/// Equal for equal work: SHA-256 of all but idempotency_key and traceparent. Two bodies under one
/// idempotency key are compared by it.
[[nodiscard]] std::string body_hash(const JobSpec& spec);

/// "render", "upscale"; "batch", "normal", "interactive".
[[nodiscard]] std::string_view to_string(JobKind kind);
[[nodiscard]] std::string_view to_string(Priority priority);
/// kInvalidArgument with the names there are.
[[nodiscard]] Result<JobKind> find_job_kind(std::string_view name);
[[nodiscard]] Result<Priority> find_priority(std::string_view name);

}  // namespace tessera
