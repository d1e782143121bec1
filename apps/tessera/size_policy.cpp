#include "tessera/size_policy.h"

#include <algorithm>
#include <cmath>

namespace tessera::cli {
namespace {

double area(PictureSize size) {
    return static_cast<double>(size.width) * size.height;
}

int nearest_multiple(double value, int multiple) {
    return std::max(1, static_cast<int>(std::lround(value / multiple))) * multiple;
}

bool is_within_twice(int value, int native) {
    return value >= native / 2 && value <= native * 2;
}

bool can_compose(PictureSize size, const NativeSize& native) {
    constexpr double kMostTimes = 2.25;  // 768 x 768 of a model of 512 x 512
    return is_within_twice(size.width, native.size.width) &&
           is_within_twice(size.height, native.size.height) &&
           area(size) <= kMostTimes * area(native.size);
}

}  // namespace

Result<PictureSize> size_to_render(PictureSize finished, const NativeSize& native, bool exact) {
    if (exact) {
        return finished;
    }
    for (const int side : {finished.width, finished.height}) {
        if (side < 1 || side > kMaxFinishedSide) {
            return fail(
                ErrorKind::kInvalidArgument,
                "a picture of {}x{} is not possible; take 1 to {} pixels for each side",
                finished.width,
                finished.height,
                kMaxFinishedSide
            );
        }
    }
    const bool whole =
        finished.width % native.multiple == 0 && finished.height % native.multiple == 0;
    if (whole && can_compose(finished, native)) {
        return finished;
    }
    return size_for_init(finished, native);
}

PictureSize native_in_aspect(PictureSize aspect, const NativeSize& native) {
    const double ratio = static_cast<double>(aspect.width) / aspect.height;
    const double width = std::clamp(
        std::sqrt(area(native.size) * ratio), native.size.width * 0.5, native.size.width * 2.0
    );
    const double height = std::clamp(
        std::sqrt(area(native.size) / ratio), native.size.height * 0.5, native.size.height * 2.0
    );
    return {nearest_multiple(width, native.multiple), nearest_multiple(height, native.multiple)};
}

PictureSize size_for_init(PictureSize picture, const NativeSize& native) {
    const PictureSize own{
        nearest_multiple(picture.width, native.multiple),
        nearest_multiple(picture.height, native.multiple)};
    return can_compose(own, native) ? own : native_in_aspect(picture, native);
}

}  // namespace tessera::cli
