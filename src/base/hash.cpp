#include "base/hash.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <xxhash.h>

#include <array>
#include <cstdlib>

namespace tessera {
namespace {

using Sha256Digest = std::array<unsigned char, SHA256_DIGEST_LENGTH>;

std::string hex_of(const Sha256Digest& digest) {
    std::string hex;
    hex.reserve(2 * digest.size());
    for (const unsigned char byte : digest) {
        fmt::format_to(std::back_inserter(hex), "{:02x}", byte);
    }
    return hex;
}

/// Without memory or its algorithm there is no way to go on.
void insist(int openssl_success) {
    if (openssl_success != 1) {
        std::abort();
    }
}

}  // namespace

std::string sha256_hex(ByteView bytes) {
    Sha256Digest digest{};
    SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data());
    return hex_of(digest);
}

struct Sha256::State {
    struct Free {
        void operator()(EVP_MD_CTX* made) const { EVP_MD_CTX_free(made); }
    };
    std::unique_ptr<EVP_MD_CTX, Free> context{EVP_MD_CTX_new()};
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
    insist(EVP_DigestInit_ex(state_->context.get(), EVP_sha256(), nullptr));
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

Sha256& Sha256::add(ByteView bytes) {
    insist(EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size()));
    return *this;
}

std::string Sha256::hex() {
    Sha256Digest digest{};
    insist(EVP_DigestFinal_ex(state_->context.get(), digest.data(), nullptr));
    return hex_of(digest);
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
