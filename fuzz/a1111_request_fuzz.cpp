// Hostile requests to A1111's API: an input's first byte chooses the call, the rest is its body.
// 'i': img2img; 'o': options; 'x': extra-single-image; 'X': extra-batch-images; any other: txt2img.
#include "api/a1111_extras.h"
#include "api/a1111_request.h"
#include "job/job_spec.h"
#include "job/shape.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace {

using namespace tessera;
using namespace tessera::api;

constexpr std::size_t kLongestFault = 4'000;

void require(bool holds) {
    if (!holds) {
        std::abort();
    }
}

const std::vector<ModelEntry>& models() {
    static const auto models = [] {
        ModelEntry model;
        model.name = "demo";
        model.hash = "0123456789abcdef";
        model.is_default = true;
        return std::vector{model};
    }();
    return models;
}

void check_fault(const ApiFault& fault) {
    require(!fault.error.message.empty() && fault.error.message.size() < kLongestFault);
    require(
        fault.error.kind == ErrorKind::kInvalidArgument ||
        fault.error.kind == ErrorKind::kUnsupported || fault.error.kind == ErrorKind::kNotFound
    );
}

void check_call(A1111Call call, std::string_view body) {
    const auto request = parse_a1111_request(call, body, {}, models());
    if (!request) {
        check_fault(request.error());
        return;
    }
    require(request->spec.count >= 1 && request->spec.count <= 10'000);
    require((call == A1111Call::kImg2img) == request->init.has_value());
    require(request->parameters.starts_with('{'));
    // Either it can be stored and comes back as it was, or the desk will say why not.
    if (check_shape(request->spec)) {
        require(decode_job_spec(encode(request->spec)) == request->spec);
    }
}

/// What the options say of themselves is taken back as it is.
void check_options(std::string_view body) {
    const auto options = changed_options({}, body, "", models());
    if (!options) {
        check_fault(options.error());
        return;
    }
    const auto again = changed_options({}, options_json(*options, models()), "", models());
    require(again.has_value() && again->format == options->format && again->rng == options->rng);
}

void check_extras(ExtrasCall call, std::string_view body) {
    const auto extras = parse_a1111_extras(call, body);
    if (!extras) {
        check_fault(extras.error());
        return;
    }
    require(!extras->pictures.empty());
    UploadEntry picture;
    picture.width = 640;
    picture.height = 7;
    if (const auto scale = extras_scale(*extras, picture); !scale) {
        check_fault(scale.error());
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
    switch (data[0]) {
        case 'i':
            check_call(A1111Call::kImg2img, body);
            break;
        case 'o':
            check_options(body);
            break;
        case 'x':
            check_extras(ExtrasCall::kSingle, body);
            break;
        case 'X':
            check_extras(ExtrasCall::kBatch, body);
            break;
        default:
            check_call(A1111Call::kTxt2img, body);
    }
    return 0;
}
