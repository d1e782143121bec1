#pragma once

#include "base/result.h"
#include "job/shape.h"

#include <optional>
#include <string_view>
#include <utility>

/// What the conversions of proto_conversion_internal.h share.
namespace tessera {

template <class T>
Result<T> checked(T value) {
    if (auto status = check_shape(value); !status) {
        return fail(ErrorKind::kCorrupt, "{}", status.error().message);
    }
    return value;
}

inline tl::unexpected<Error> unknown_enum(std::string_view field, int value) {
    return fail(ErrorKind::kCorrupt, "{} is {}, which is not known here", field, value);
}

template <class T>
std::optional<T> maybe(bool present, T value) {
    return present ? std::optional(value) : std::nullopt;
}

}  // namespace tessera
