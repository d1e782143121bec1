// Hostile requests to OpenAI's images: an input's first byte chooses the call, the rest is its
// body. 'e': an edit as a form with the boundary "edge"; 'v': a variation as one; 'E': an edit as
// JSON; any other: a generation.
#include "api/openai_request.h"
#include "job/job_spec.h"
#include "job/shape.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace {

using namespace tessera;
using namespace tessera::api;

constexpr std::string_view kForm = "multipart/form-data; boundary=edge";
constexpr std::size_t kLongestFault = 4'000;

void require(bool holds) {
    if (!holds) {
        std::abort();
    }
}

void check_fault(const ApiFault& fault) {
    require(!fault.error.message.empty() && fault.error.message.size() < kLongestFault);
    require(
        fault.error.kind == ErrorKind::kInvalidArgument ||
        fault.error.kind == ErrorKind::kUnsupported || fault.error.kind == ErrorKind::kExhausted
    );
}

void check_request(OpenAiRequest request) {
    settle_openai_model({}, request);
    require(request.spec.count >= 1 && request.spec.count <= 10);
    require(request.partial_images >= 0 && request.partial_images <= 3);
    require(request.stream || request.partial_images == 0);
    // Either it can be stored and comes back as it was, or the desk will say why not.
    if (check_shape(request.spec)) {
        require(decode_job_spec(encode(request.spec)) == request.spec);
    }
}

void check_edit(Checked<OpenAiEdit> edit) {
    if (!edit) {
        check_fault(edit.error());
        return;
    }
    require(!edit->image.bytes().empty());
    check_request(std::move(edit->request));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
    switch (data[0]) {
        case 'e':
            check_edit(parse_openai_edit(kForm, body));
            break;
        case 'v':
            check_edit(parse_openai_variation(kForm, body));
            break;
        case 'E':
            check_edit(parse_openai_edit("application/json", body));
            break;
        default:
            if (auto request = parse_openai_generation(body)) {
                check_request(*std::move(request));
            } else {
                check_fault(request.error());
            }
    }
    return 0;
}
