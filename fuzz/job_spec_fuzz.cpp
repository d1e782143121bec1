#include "job/codec.h"
#include "job/shape.h"

#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace {

template <class T>
void expect_stable(
    const tessera::Result<T>& value, tessera::Result<T> (*decode)(std::string_view)
) {
    if (!value) {
        return;
    }
    const auto again = decode(tessera::encode(*value));
    if (!tessera::check_shape(*value) || !again || *again != *value) {
        std::abort();
    }
}

}  // namespace

/// Any bytes either are refused or are a job's spec, plan or result, which survives being stored.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    expect_stable(tessera::decode_job_spec(bytes), tessera::decode_job_spec);
    expect_stable(tessera::decode_job_plan(bytes), tessera::decode_job_plan);
    expect_stable(tessera::decode_task_result(bytes), tessera::decode_task_result);
    expect_stable(tessera::decode_task_checkpoint(bytes), tessera::decode_task_checkpoint);
    expect_stable(tessera::decode_task_failure(bytes), tessera::decode_task_failure);
    return 0;
}
