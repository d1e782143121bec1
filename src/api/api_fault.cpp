#include "api/api_fault.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace tessera::api {
namespace {

struct NamedThing {
    std::string_view word;
    std::string_view job;  ///< the field of JobSpec
};

constexpr std::array<NamedThing, 8> kThings{{
    {"schedule type", "schedule"},
    {"sampler", "sampler"},
    {"upscaler", "upscaler"},
    {"style", "styles"},
    {"masked content", "masked_content"},
    {"resize mode", "resize_mode"},
    {"random generator", "rng"},
    {"model", "model"},
}};

/// "no sampler is called "Eulr"": what is said before the name.
std::string field_of_missing(std::string_view message, std::span<const FieldName> names) {
    const std::string_view before = message.substr(0, message.find_first_of("\"'"));
    for (const NamedThing& thing : kThings) {
        const auto name = std::ranges::find(names, thing.job, &FieldName::job);
        if (before.find(thing.word) != std::string_view::npos && name != names.end()) {
            return std::string(name->api);
        }
    }
    return {};
}

}  // namespace

ApiFault fault_of(Refusal refusal, std::span<const FieldName> names) {
    ApiFault fault(in_words_of(std::move(refusal.error), names));
    fault.retry_after = refusal.retry_after;
    if (fault.field.empty() && fault.error.kind == ErrorKind::kNotFound) {
        fault.field = field_of_missing(fault.error.message, names);
    }
    return fault;
}

}  // namespace tessera::api
