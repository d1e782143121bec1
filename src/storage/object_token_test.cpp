#include "storage/object_token.h"

#include "base/hash.h"

#include <gmock/gmock.h>
#include <rapidcheck.h>

#include <string>

namespace tessera {
namespace {

constexpr WallTime kNow{std::chrono::hours(1000)};

ObjectTokens::Secret secret_of(char letter) {
    ObjectTokens::Secret secret{};
    secret.fill(static_cast<std::byte>(letter));
    return secret;
}

ObjectGrant grant() {
    ObjectGrant grant;
    grant.task = "01kb0000000000000000000000.3";
    grant.epoch = (7ULL << 32U) + 5;
    grant.tenant = "ada";
    grant.expires = kNow + std::chrono::seconds(60);
    grant.reads = {sha256_hex(as_bytes("init")), sha256_hex(as_bytes("mask"))};
    grant.may_write = true;
    grant.max_bytes = 1U << 24U;
    return grant;
}

TEST(ObjectTokenTest, SaysWhatWasGranted) {
    const ObjectTokens tokens(secret_of('s'));
    const auto token = tokens.issue(grant());
    ASSERT_TRUE(token);
    const auto checked = tokens.check(*token, kNow);
    ASSERT_TRUE(checked) << checked.error().message;
    EXPECT_EQ(*checked, grant());
    EXPECT_TRUE(checked->may_read(sha256_hex(as_bytes("init"))));
    EXPECT_FALSE(checked->may_read(sha256_hex(as_bytes("somebody else's"))));
}

TEST(ObjectTokenTest, GoesIntoAUrlAsItIs) {
    const auto token = ObjectTokens(secret_of('s')).issue(grant());
    EXPECT_THAT(*token, testing::MatchesRegex("[A-Za-z0-9_-]+"));
}

TEST(ObjectTokenTest, ExpiresAtItsMoment) {
    const ObjectTokens tokens(secret_of('s'));
    const auto token = tokens.issue(grant());
    EXPECT_TRUE(tokens.check(*token, grant().expires - std::chrono::milliseconds(1)));
    const auto late = tokens.check(*token, grant().expires);
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().kind, ErrorKind::kDenied);
    EXPECT_THAT(late.error().message, testing::HasSubstr("expired"));
}

TEST(ObjectTokenTest, IsWorthNothingUnderAnotherSecret) {
    const auto token = ObjectTokens(secret_of('s')).issue(grant());
    const auto other = ObjectTokens(secret_of('t')).check(*token, kNow);
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().kind, ErrorKind::kDenied);
}

TEST(ObjectTokenTest, IsDeniedAfterAnyChange) {
    const ObjectTokens tokens(secret_of('s'));
    const std::string token = *tokens.issue(grant());
    EXPECT_TRUE(rc::check([&tokens, &token] {
        std::string changed = token;
        const auto at = *rc::gen::inRange<std::size_t>(0, token.size());
        switch (*rc::gen::inRange(0, 3)) {
            case 0:
                changed[at] = *rc::gen::distinctFrom(rc::gen::arbitrary<char>(), token[at]);
                break;
            case 1:
                changed.erase(at, *rc::gen::inRange<std::size_t>(1, 50));
                break;
            default:
                changed.insert(at, *rc::gen::nonEmpty(rc::gen::string<std::string>()));
        }
        RC_PRE(changed != token);
        const auto checked = tokens.check(changed, kNow);
        RC_ASSERT(!checked);
        RC_ASSERT(checked.error().kind == ErrorKind::kDenied);
    }));
}

TEST(ObjectTokenTest, IsDeniedForArbitraryText) {
    const ObjectTokens tokens(secret_of('s'));
    EXPECT_TRUE(rc::check([&tokens](const std::string& text) {
        RC_ASSERT(tokens.check(text, kNow).error().kind == ErrorKind::kDenied);
    }));
    EXPECT_FALSE(tokens.check(std::string(1U << 20U, 'A'), kNow));
}

TEST(ObjectTokenTest, ComesBackForAnyGrant) {
    const ObjectTokens tokens(secret_of('s'));
    EXPECT_TRUE(rc::check([&tokens] {
        ObjectGrant any = grant();
        any.task = *rc::gen::string<std::string>();
        any.tenant = *rc::gen::string<std::string>();
        any.epoch = *rc::gen::arbitrary<std::uint64_t>();
        any.may_write = *rc::gen::arbitrary<bool>();
        any.max_bytes = *rc::gen::arbitrary<std::uint64_t>();
        any.reads.clear();
        for (int i = *rc::gen::inRange(0, 20); i > 0; --i) {
            any.reads.push_back(sha256_hex(as_bytes(std::to_string(i))));
        }
        RC_ASSERT(*tokens.check(*tokens.issue(any), kNow) == any);
    }));
}

TEST(ObjectTokenTest, StaysWithinItsLengthAndRefusesMoreReads) {
    const ObjectTokens tokens(secret_of('s'));
    ObjectGrant large = grant();
    large.task = std::string(255, 't');
    large.tenant = std::string(255, 't');
    large.reads.assign(kMaxGrantReads, sha256_hex(as_bytes("tile")));
    const auto token = tokens.issue(large);
    ASSERT_TRUE(token);
    EXPECT_LE(token->size(), kMaxTokenText);
    EXPECT_TRUE(tokens.check(*token, kNow));
    large.reads.push_back(large.reads.front());
    EXPECT_EQ(tokens.issue(large).error().kind, ErrorKind::kExhausted);
    large.reads = {"../../etc/passwd"};
    EXPECT_EQ(tokens.issue(large).error().kind, ErrorKind::kInvalidArgument);
}

}  // namespace
}  // namespace tessera
