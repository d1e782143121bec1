#include "checkpoint/dtype.h"

#include <array>

namespace tessera {
namespace {

struct Row {
    std::string_view name;
    std::size_t size;
};

// In the order of the enumeration.
constexpr std::array kRows{
    Row{"BOOL", 1},
    Row{"U8", 1},
    Row{"I8", 1},
    Row{"F8_E5M2", 1},
    Row{"F8_E4M3", 1},
    Row{"F8_E8M0", 1},
    Row{"I16", 2},
    Row{"U16", 2},
    Row{"F16", 2},
    Row{"BF16", 2},
    Row{"I32", 4},
    Row{"U32", 4},
    Row{"F32", 4},
    Row{"C64", 8},
    Row{"F64", 8},
    Row{"I64", 8},
    Row{"U64", 8},
};
static_assert(kRows.size() == static_cast<std::size_t>(DType::kU64) + 1);

}  // namespace

std::size_t size_of(DType dtype) {
    return kRows[static_cast<std::size_t>(dtype)].size;
}

std::string_view name_of(DType dtype) {
    return kRows[static_cast<std::size_t>(dtype)].name;
}

std::optional<DType> dtype_named(std::string_view name) {
    for (std::size_t i = 0; i < kRows.size(); ++i) {
        if (kRows[i].name == name) {
            return static_cast<DType>(i);
        }
    }
    return std::nullopt;
}

}  // namespace tessera
