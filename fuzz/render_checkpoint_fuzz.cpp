#include "diffusion/denoise_loop.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

/// Any bytes at all, also those with a right checksum, either are refused or give a loop that saves
/// to a form that gives the same loop again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto bytes = std::as_bytes(std::span(data, size));
    const auto as_it_is = tessera::DenoiseLoop::resume(bytes);
    const auto sealed = tessera::DenoiseLoop::resume(tessera::seal(tessera::kLoopSeal, bytes));
    for (const auto* loop : {&as_it_is, &sealed}) {
        if (!*loop) {
            continue;
        }
        const auto saved = (*loop)->save();
        const auto again = tessera::DenoiseLoop::resume(saved);
        if (!again || again->save() != saved) {
            std::abort();
        }
    }
    return 0;
}
