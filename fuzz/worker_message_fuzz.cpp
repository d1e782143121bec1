#include "link/messages.h"

#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace {

template <class Message>
void expect_stable(
    const tessera::Result<Message>& message, tessera::Result<Message> (*decode)(std::string_view)
) {
    if (!message) {
        return;
    }
    const auto frame = tessera::encode(*message);
    if (!frame) {
        // Written out it may be a little larger: defaults that were left out.
        if (frame.error().kind != tessera::ErrorKind::kExhausted) {
            std::abort();
        }
        return;
    }
    const auto again = decode(*frame);
    if (!again || *again != *message) {
        std::abort();
    }
}

}  // namespace

/// Any bytes either are refused or are a frame of the worker link, which survives being sent on.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    expect_stable(tessera::decode_worker_message(bytes), tessera::decode_worker_message);
    expect_stable(tessera::decode_server_message(bytes), tessera::decode_server_message);
    return 0;
}
