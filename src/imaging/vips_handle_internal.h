#pragma once

#include <vips/vips.h>

#include <memory>

namespace tessera {

struct VipsUnref {
    void operator()(VipsImage* image) const { g_object_unref(image); }
};
using VipsHandle = std::unique_ptr<VipsImage, VipsUnref>;

struct VipsFree {
    void operator()(void* memory) const { g_free(memory); }
};
using VipsMemory = std::unique_ptr<void, VipsFree>;

/// Runs an operation that leaves its result in the VipsImage* it is given; empty when it fails.
/// libvips then has words in a buffer that all threads share: whoever gives up clears it.
template <class Operation>
VipsHandle run_vips(Operation operation) {
    VipsImage* out = nullptr;
    return operation(&out) == 0 ? VipsHandle(out) : nullptr;
}

}  // namespace tessera
