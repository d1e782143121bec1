#pragma once

#include <compare>
#include <cstddef>
#include <functional>
#include <string>
#include <utility>

namespace tessera {

/// A name of one kind of thing, which no other kind's name can take the place of.
template <class Tag>
struct Id {
    std::string value;

    auto operator<=>(const Id&) const = default;
};

using JobId = Id<struct JobTag>;
using WorkerId = Id<struct WorkerTag>;

}  // namespace tessera

template <class Tag>
struct std::hash<tessera::Id<Tag>> {
    std::size_t operator()(const tessera::Id<Tag>& id) const noexcept {
        return std::hash<std::string>()(id.value);
    }
};
