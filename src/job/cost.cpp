#include "job/cost.h"

namespace tessera {

double render_cost(std::span<const DenoisePass> passes, bool encodes) {
    double cost = 0.0;
    for (const DenoisePass& pass : passes) {
        const double steps = pass.steps * (pass.guided ? 2.0 : 1.0);
        cost += pass.size.megapixels() * (steps + kDecodeSteps + (encodes ? kEncodeSteps : 0.0));
        encodes = true;  // a later pass begins with the picture of the one before
    }
    return cost;
}

double enlarge_cost(PixelSize size) {
    return size.megapixels() * kEnlargeSteps;
}

double merge_cost(PixelSize size) {
    return size.megapixels() * kMergeSteps;
}

}  // namespace tessera
