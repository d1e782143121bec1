#include "api/job_json_internal.h"
#include "api/native_job.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

using namespace tessera;

/// The first byte says whether the rest is JSON or MessagePack. What is accepted must mean the same
/// when the API says it back.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    const auto format = data[0] % 2 == 0 ? api::BodyFormat::kJson : api::BodyFormat::kMessagePack;
    const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
    const auto spec = api::parse_native_job(format, body);
    if (!spec) {
        return 0;
    }
    const std::string said = api::json_text(api::spec_json(*spec));
    const auto again = api::parse_native_job(api::BodyFormat::kJson, said);
    if (!again || !(*again == *spec)) {
        std::abort();
    }
    return 0;
}
