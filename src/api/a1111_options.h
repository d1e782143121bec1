#pragma once

#include "api/api_fault.h"
#include "api/catalog.h"
#include "job/job_spec.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tessera::api {

/// What A1111 keeps for the whole server and the farm for each key: the settings that its clients
/// change, or send along as override_settings.
struct A1111Options {
    std::string model;  ///< empty: the farm's default
    int clip_skip = 1;
    std::string format = "png";  ///< of the pictures in answers
    int quality = 80;            ///< of JPEG and WebP
    std::uint64_t later_seed_offset = 0;
    std::string rng = "cpu";

    bool operator==(const A1111Options&) const = default;
};

/// Takes over what a JSON object says of them, or nothing of it: `field` is where it stands, "" for
/// a body. Settings that are not known are passed over, as A1111 does; those that would change
/// pictures and are not done here are refused, unless they have the value that changes nothing.
[[nodiscard]] Checked<A1111Options> changed_options(
    A1111Options options,
    std::string_view object,
    const std::string& field,
    const std::vector<ModelEntry>& models
);

/// The flat object of GET options.
[[nodiscard]] std::string options_json(
    const A1111Options& options, const std::vector<ModelEntry>& models
);

void apply_options(const A1111Options& options, JobSpec& spec);

/// "name [hash]", as A1111 shows a model. Clients send that back, or the name, or the hash.
[[nodiscard]] std::string model_title(const ModelEntry& model);
/// The first 10 digits of a hash.
[[nodiscard]] std::string short_hash(const ModelEntry& model);
/// The default one for an empty name; nullptr when there is none. kNotFound offers a near name.
[[nodiscard]] Checked<const ModelEntry*> find_model(
    const std::vector<ModelEntry>& models, const std::string& field, const std::string& name
);

}  // namespace tessera::api
