#include "storage/object_token.h"

#include "storage/base64_url_internal.h"
#include "storage/object_store.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <cstdlib>
#include <span>

namespace tessera {
namespace {

/// Keeps these signatures apart from any others under the same secret, and its number from those of
/// other forms of the grant.
constexpr std::string_view kPurpose = "tessera object token 1";
constexpr std::size_t kMacBytes = 32;
constexpr std::size_t kLongestName = 255;

using Mac = std::array<std::byte, kMacBytes>;

Mac mac_of(const ObjectTokens::Secret& secret, ByteView grant) {
    ByteWriter signed_bytes;
    signed_bytes.put_text(kPurpose);
    signed_bytes.put_block(grant);
    const Bytes bytes = signed_bytes.take();
    Mac mac{};
    unsigned size = kMacBytes;
    const unsigned char* made = HMAC(
        EVP_sha256(),
        secret.data(),
        static_cast<int>(secret.size()),
        reinterpret_cast<const unsigned char*>(bytes.data()),
        bytes.size(),
        reinterpret_cast<unsigned char*>(mac.data()),
        &size
    );
    if (made == nullptr) {
        std::abort();  // without memory or the algorithm nothing can be signed or trusted
    }
    return mac;
}

tl::unexpected<Error> denied(const char* why) {
    return fail(ErrorKind::kDenied, "the object token {}", why);
}

Result<ObjectGrant> read_grant(ByteView bytes) {
    ByteReader reader(bytes);
    ObjectGrant grant;
    TESSERA_ASSIGN(grant.task, reader.get_text());
    TESSERA_ASSIGN(grant.epoch, reader.get<std::uint64_t>());
    TESSERA_ASSIGN(grant.tenant, reader.get_text());
    TESSERA_ASSIGN(const auto expires, reader.get<std::int64_t>());
    grant.expires = WallTime(std::chrono::milliseconds(expires));
    TESSERA_ASSIGN(const auto may_write, reader.get<std::uint8_t>());
    grant.may_write = may_write != 0;
    TESSERA_ASSIGN(grant.max_bytes, reader.get<std::uint64_t>());
    TESSERA_ASSIGN(const auto reads, reader.get<std::uint16_t>());
    for (std::uint16_t i = 0; i < reads; ++i) {
        std::string sha256;
        for (int byte = 0; byte < 32; ++byte) {
            TESSERA_ASSIGN(const auto value, reader.get<std::uint8_t>());
            fmt::format_to(std::back_inserter(sha256), "{:02x}", value);
        }
        grant.reads.push_back(std::move(sha256));
    }
    if (!reader.at_end()) {
        return fail(ErrorKind::kCorrupt, "more bytes than a grant has");
    }
    return grant;
}

}  // namespace

bool ObjectGrant::may_read(std::string_view sha256) const {
    return std::find(reads.begin(), reads.end(), sha256) != reads.end();
}

Result<std::string> ObjectTokens::issue(const ObjectGrant& grant) const {
    if (grant.reads.size() > kMaxGrantReads) {
        return fail(
            ErrorKind::kExhausted,
            "the task {} reads {} objects, and a token holds {}",
            grant.task,
            grant.reads.size(),
            kMaxGrantReads
        );
    }
    if (grant.task.size() > kLongestName || grant.tenant.size() > kLongestName) {
        return fail(ErrorKind::kInvalidArgument, "a task's or tenant's name is too long");
    }
    ByteWriter writer;
    writer.put_text(grant.task);
    writer.put(grant.epoch);
    writer.put_text(grant.tenant);
    writer.put(static_cast<std::int64_t>(grant.expires.time_since_epoch().count()));
    writer.put(static_cast<std::uint8_t>(grant.may_write ? 1 : 0));
    writer.put(grant.max_bytes);
    writer.put(static_cast<std::uint16_t>(grant.reads.size()));
    for (const std::string& sha256 : grant.reads) {
        if (!is_sha256(sha256)) {
            return fail(ErrorKind::kInvalidArgument, "'{}' is no SHA-256", sha256);
        }
        const auto nibble = [](char digit) {
            return static_cast<unsigned>(digit <= '9' ? digit - '0' : digit - 'a' + 10);
        };
        for (std::size_t i = 0; i < sha256.size(); i += 2) {
            writer.put(static_cast<std::uint8_t>(nibble(sha256[i]) << 4U | nibble(sha256[i + 1])));
        }
    }
    Bytes bytes = writer.take();
    const Mac mac = mac_of(secret_, bytes);
    bytes.insert(bytes.end(), mac.begin(), mac.end());
    return to_base64_url(bytes);
}

Result<ObjectGrant> ObjectTokens::check(std::string_view token, WallTime now) const {
    if (token.size() > kMaxTokenText) {
        return denied("is too long");
    }
    const auto bytes = from_base64_url(token);
    if (!bytes || bytes->size() < kMacBytes) {
        return denied("is none");
    }
    const ByteView grant_bytes = ByteView(*bytes).first(bytes->size() - kMacBytes);
    const Mac mac = mac_of(secret_, grant_bytes);
    if (CRYPTO_memcmp(mac.data(), bytes->data() + grant_bytes.size(), kMacBytes) != 0) {
        return denied("is none of this server's");
    }
    auto grant = read_grant(grant_bytes);
    if (!grant) {
        return denied("is none");
    }
    if (now >= grant->expires) {
        return denied("has expired");
    }
    return grant;
}

}  // namespace tessera
