#include "base/hash.h"

#include <openssl/sha.h>
#include <xxhash.h>

#include <array>

namespace tessera {

std::string sha256_hex(ByteView bytes) {
    std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
    SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data());
    std::string hex;
    hex.reserve(2 * digest.size());
    for (const unsigned char byte : digest) {
        fmt::format_to(std::back_inserter(hex), "{:02x}", byte);
    }
    return hex;
}

struct FastHash::State {
    struct Free {
        void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
    };
    std::unique_ptr<XXH3_state_t, Free> xxh3{XXH3_createState()};
};

FastHash::FastHash() : state_(std::make_unique<State>()) {
    XXH3_128bits_reset(state_->xxh3.get());
}
FastHash::~FastHash() = default;
FastHash::FastHash(FastHash&&) noexcept = default;
FastHash& FastHash::operator=(FastHash&&) noexcept = default;

FastHash& FastHash::add(ByteView field) {
    add(static_cast<std::uint64_t>(field.size()));
    XXH3_128bits_update(state_->xxh3.get(), field.data(), field.size());
    return *this;
}

FastHash& FastHash::add(std::uint64_t field) {
    XXH3_128bits_update(state_->xxh3.get(), &field, sizeof(field));
    return *this;
}

std::string FastHash::hex() const {
    const XXH128_hash_t hash = XXH3_128bits_digest(state_->xxh3.get());
    return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

}  // namespace tessera
