#include "api/object_grants.h"

#include <algorithm>
#include <utility>

namespace tessera::api {
namespace {

constexpr auto kLife = std::chrono::hours(24);

}  // namespace

std::function<std::string(const Claim&)> object_token_maker(
    const ObjectTokens& tokens, const Clock& clock
) {
    return [tokens, &clock](const Claim& claim) {
        ObjectGrant grant;
        grant.task = to_string(claim.task);
        grant.epoch = claim.epoch.value;
        grant.tenant = claim.job->spec.tenant;
        grant.expires = clock.wall() + kLife;
        for (const TaskResult& input : claim.inputs) {
            grant.reads.push_back(input.object.sha256);
        }
        for (const std::string* hash : {&claim.job->spec.init, &claim.job->spec.mask}) {
            if (!hash->empty()) {
                grant.reads.push_back(*hash);
            }
        }
        if (claim.checkpoint) {
            grant.reads.push_back(claim.checkpoint->object.sha256);
        }
        grant.may_write = true;
        grant.max_bytes = kMaxResultBytes;
        // Without a token the task fails at its first object, which says so.
        return tokens.issue(grant).value_or(std::string());
    };
}

Result<ObjectTokens> object_tokens(const std::string& secret) {
    ObjectTokens::Secret bytes{};
    if (secret.size() != bytes.size()) {
        return fail(
            ErrorKind::kInvalidArgument, "the objects' secret has {} bytes, not 32", secret.size()
        );
    }
    std::ranges::copy(as_bytes(secret), bytes.begin());
    return ObjectTokens(bytes);
}

}  // namespace tessera::api
