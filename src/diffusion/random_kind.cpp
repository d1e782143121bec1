#include "diffusion/random_kind.h"

#include <algorithm>
#include <array>
#include <string>

namespace tessera {

namespace {

struct KindName {
    std::string_view name;
    RandomKind kind;
};

/// The first of each kind is the one to show.
constexpr std::array kNames{
    KindName{"cpu", RandomKind::kCpu},
    KindName{"cuda", RandomKind::kCuda},
    KindName{"gpu", RandomKind::kCuda},
    KindName{"nv", RandomKind::kCuda},
};

}  // namespace

Result<RandomKind> find_random_kind(std::string_view name) {
    std::string wanted(name);
    std::transform(wanted.begin(), wanted.end(), wanted.begin(), [](char letter) {
        return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
    });
    for (const KindName& entry : kNames) {
        if (entry.name == wanted) {
            return entry.kind;
        }
    }
    constexpr std::size_t kMostShown = 40;
    return fail(
        ErrorKind::kNotFound,
        "no random generator is called \"{}\"; there are cpu and cuda (which A1111 calls GPU or "
        "NV)",
        name.substr(0, kMostShown)
    );
}

std::string_view to_string(RandomKind kind) {
    return std::find_if(
               kNames.begin(),
               kNames.end(),
               [&](const KindName& entry) { return entry.kind == kind; }
    )->name;
}

}  // namespace tessera
