#include "inference/cpu_features.h"

#include <fmt/format.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <cpuid.h>
#else
#include <sys/auxv.h>
#include <sys/utsname.h>
#endif

#include <array>
#include <cstdint>
#include <cstring>

namespace tessera {
namespace {

#if defined(__x86_64__)

enum Register : std::uint8_t { kEax, kEbx, kEcx, kEdx };

struct Feature {
    const char* name;
    std::uint32_t leaf;
    std::uint32_t subleaf;
    Register where;
    std::uint32_t bit;
};

// Intel SDM volume 2A, CPUID; AMD's manual agrees on these.
constexpr std::array kFeatures{
    Feature{"sse4.1", 1, 0, kEcx, 19},
    Feature{"fma", 1, 0, kEcx, 12},
    Feature{"f16c", 1, 0, kEcx, 29},
    Feature{"avx", 1, 0, kEcx, 28},
    Feature{"avx2", 7, 0, kEbx, 5},
    Feature{"avx512f", 7, 0, kEbx, 16},
    Feature{"avx512dq", 7, 0, kEbx, 17},
    Feature{"avx512cd", 7, 0, kEbx, 28},
    Feature{"avx512bw", 7, 0, kEbx, 30},
    Feature{"avx512vl", 7, 0, kEbx, 31},
    Feature{"avx512vnni", 7, 0, kEcx, 11},
    Feature{"hybrid", 7, 0, kEdx, 15},
    Feature{"amxbf16", 7, 0, kEdx, 22},
    Feature{"avx512fp16", 7, 0, kEdx, 23},
    Feature{"amxtile", 7, 0, kEdx, 24},
    Feature{"amxint8", 7, 0, kEdx, 25},
    Feature{"avxvnni", 7, 1, kEax, 4},
    Feature{"avx512bf16", 7, 1, kEax, 5},
};

using Registers = std::array<std::uint32_t, 4>;

Registers cpuid(std::uint32_t leaf, std::uint32_t subleaf) {
    Registers found{};
    __get_cpuid_count(leaf, subleaf, &found[kEax], &found[kEbx], &found[kEcx], &found[kEdx]);
    return found;
}

/// Which register files the operating system saves; without it an instruction set is unusable.
std::uint64_t enabled_states() {
    constexpr std::uint32_t kOsxsave = 1U << 27U;
    if ((cpuid(1, 0)[kEcx] & kOsxsave) == 0) {
        return 0;
    }
    std::uint32_t low = 0;
    std::uint32_t high = 0;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (std::uint64_t{high} << 32U) | low;
}

std::string processor() {
    const Registers identity = cpuid(0, 0);
    std::array<char, 12> vendor{};
    std::memcpy(vendor.data(), &identity[kEbx], 4);
    std::memcpy(vendor.data() + 4, &identity[kEdx], 4);
    std::memcpy(vendor.data() + 8, &identity[kEcx], 4);

    const std::uint32_t signature = cpuid(1, 0)[kEax];
    std::uint32_t family = (signature >> 8U) & 0xfU;
    std::uint32_t model = (signature >> 4U) & 0xfU;
    if (family == 6 || family == 15) {
        model |= ((signature >> 16U) & 0xfU) << 4U;
    }
    if (family == 15) {
        family += (signature >> 20U) & 0xffU;
    }
    std::string text = fmt::format(
        "{} {}/{} xcr0:{:x}",
        std::string_view(vendor.data(), vendor.size()),
        family,
        model,
        enabled_states()
    );
    for (const Feature& feature : kFeatures) {
        if (((cpuid(feature.leaf, feature.subleaf)[feature.where] >> feature.bit) & 1U) != 0) {
            text += fmt::format(" {}", feature.name);
        }
    }
    return text;
}

#else

std::string processor() {
    utsname system{};
    ::uname(&system);
    return fmt::format(
        "{} hwcap:{:x} hwcap2:{:x}", system.machine, ::getauxval(AT_HWCAP), ::getauxval(AT_HWCAP2)
    );
}

#endif

}  // namespace

std::string cpu_features() {
    return fmt::format("{} l2:{}", processor(), ::sysconf(_SC_LEVEL2_CACHE_SIZE));
}

}  // namespace tessera
