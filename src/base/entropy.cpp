#include "base/entropy.h"

#include <openssl/rand.h>

#include <array>
#include <bit>
#include <cstdlib>
#include <cstring>

namespace tessera {
namespace {

class SystemEntropy final : public Entropy {
  public:
    void fill(std::span<std::byte> bytes) override {
        // OpenSSL's generator seeds itself from the system; without chance nothing here is safe.
        if (RAND_bytes(
                reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size())
            ) != 1) {
            std::abort();
        }
    }
};

}  // namespace

std::uint64_t Entropy::next() {
    std::array<std::byte, sizeof(std::uint64_t)> bytes{};
    fill(bytes);
    return std::bit_cast<std::uint64_t>(bytes);
}

double Entropy::unit() {
    constexpr unsigned kSpareBits = 64 - 53;
    return static_cast<double>(next() >> kSpareBits) * 0x1p-53;
}

Entropy& Entropy::system() {
    static SystemEntropy entropy;
    return entropy;
}

void SeededEntropy::fill(std::span<std::byte> bytes) {
    while (!bytes.empty()) {
        // SplitMix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014.
        state_ += 0x9E3779B97F4A7C15ULL;
        std::uint64_t z = state_;
        z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
        z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
        z ^= z >> 31U;
        const std::size_t size = std::min(bytes.size(), sizeof(z));
        std::memcpy(bytes.data(), &z, size);
        bytes = bytes.subspan(size);
    }
}

std::string new_ulid(WallTime time, Entropy& entropy) {
    constexpr std::string_view kDigits = "0123456789abcdefghjkmnpqrstvwxyz";
    constexpr std::size_t kTimeDigits = 10;
    constexpr std::size_t kChanceDigits = 16;
    std::string id(kTimeDigits + kChanceDigits, '0');
    auto milliseconds = static_cast<std::uint64_t>(time.time_since_epoch().count());
    for (std::size_t i = kTimeDigits; i-- > 0; milliseconds >>= 5U) {
        id[i] = kDigits[milliseconds & 31U];
    }
    std::array<std::byte, kChanceDigits> chance{};
    entropy.fill(chance);
    for (std::size_t i = 0; i < kChanceDigits; ++i) {
        id[kTimeDigits + i] = kDigits[std::to_integer<unsigned>(chance[i]) & 31U];
    }
    return id;
}

std::string random_base62(std::size_t length, Entropy& entropy) {
    constexpr std::string_view kDigits =
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    constexpr unsigned kFair = 62 * 4;  // bytes above would favour the first digits
    std::string text;
    text.reserve(length);
    std::array<std::byte, 64> chance{};
    while (text.size() < length) {
        entropy.fill(chance);
        for (const std::byte byte : chance) {
            const auto value = std::to_integer<unsigned>(byte);
            if (value < kFair && text.size() < length) {
                text.push_back(kDigits[value % kDigits.size()]);
            }
        }
    }
    return text;
}

}  // namespace tessera
