#include "job/codec.h"

#include "base/utf8.h"
#include "job/field_checks.h"
#include "job/job_test.h"
#include "job/shape.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <tessera/v1/job.pb.h>

#include <limits>
#include <string>

namespace tessera {
namespace {

using ::testing::HasSubstr;

template <class T, class Decode>
void expect_round_trip(const T& value, const Decode& decode) {
    RC_ASSERT(check_shape(value).has_value());
    const std::string bytes = encode(value);
    const auto again = decode(bytes);
    RC_ASSERT(again.has_value());
    RC_ASSERT(*again == value);
    RC_ASSERT(encode(*again) == bytes);
}

TEST(JobCodec, GivesBackEveryJobSpec) {
    EXPECT_TRUE(rc::check([] { expect_round_trip(testing::any_job_spec(), decode_job_spec); }));
}

TEST(JobCodec, GivesBackEveryPlan) {
    EXPECT_TRUE(rc::check([] {
        expect_round_trip(testing::any_unit_plan(), decode_unit_plan);
        expect_round_trip(testing::any_task_plan(), decode_task_plan);
        expect_round_trip(testing::any_job_plan(), decode_job_plan);
    }));
}

TEST(JobCodec, GivesBackWhatBecameOfEveryTask) {
    EXPECT_TRUE(rc::check([] {
        expect_round_trip(testing::any_object_ref(), decode_object_ref);
        expect_round_trip(testing::any_task_result(), decode_task_result);
        expect_round_trip(testing::any_task_checkpoint(), decode_task_checkpoint);
        expect_round_trip(testing::any_task_progress(), decode_task_progress);
        expect_round_trip(testing::any_task_failure(), decode_task_failure);
    }));
}

TEST(JobCodec, GivesBackTextsAsLongAsTheyMayBe) {
    JobSpec spec;
    spec.render.prompt.assign(kMaxPromptBytes, 'p');
    spec.webhook.assign(kMaxWebhookBytes, 'w');
    const auto again = decode_job_spec(encode(spec));
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(*again, spec);
}

TEST(JobCodec, ReadsWhatIsAbsentAsTheDefault) {
    v1::JobSpec message;
    message.set_kind(v1::JOB_KIND_RENDER);
    const auto spec = decode_job_spec(message.SerializeAsString());
    ASSERT_TRUE(spec) << spec.error().message;
    EXPECT_EQ(*spec, JobSpec());
}

TEST(JobCodec, TellsZeroFromAbsent) {
    JobSpec spec;
    spec.render.strength = 0.0;
    spec.render.only_masked = 0;
    const auto again = decode_job_spec(encode(spec));
    ASSERT_TRUE(again);
    EXPECT_EQ(again->render.strength, 0.0);
    EXPECT_EQ(again->render.only_masked, 0);
    EXPECT_FALSE(again->render.mask_blur);
}

TEST(JobCodec, IgnoresFieldsOfLaterVersions) {
    std::string bytes = encode(JobSpec());
    bytes += std::string("\xFA\x3E\x03new", 6);  // field 1007, three bytes
    const auto spec = decode_job_spec(bytes);
    ASSERT_TRUE(spec) << spec.error().message;
    EXPECT_EQ(*spec, JobSpec());
}

/// The error of a message with one thing wrong.
template <class Message, class Decode, class Spoil>
std::string refusal(std::string good, const Decode& decode, const Spoil& spoil) {
    Message message;
    EXPECT_TRUE(message.ParseFromString(good));
    spoil(message);
    const auto decoded = decode(message.SerializePartialAsString());
    if (decoded) {
        return "accepted";
    }
    EXPECT_EQ(decoded.error().kind, ErrorKind::kCorrupt);
    return decoded.error().message;
}

template <class Spoil>
std::string spec_refusal(const Spoil& spoil) {
    return refusal<v1::JobSpec>(encode(JobSpec()), decode_job_spec, spoil);
}

TEST(JobCodec, RefusesEnumValuesThatItDoesNotKnow) {
    EXPECT_EQ(
        spec_refusal([](v1::JobSpec& spec) { spec.clear_kind(); }),
        "kind is 0, which is not known here"
    );
    EXPECT_EQ(
        spec_refusal([](v1::JobSpec& spec) { spec.set_kind(static_cast<v1::JobKind>(7)); }),
        "kind is 7, which is not known here"
    );
    EXPECT_EQ(
        spec_refusal([](v1::JobSpec& spec) { spec.set_priority(static_cast<v1::Priority>(-1)); }),
        "priority is -1, which is not known here"
    );
    JobPlan plan;
    plan.units.resize(1);
    plan.tasks.resize(2);
    EXPECT_EQ(
        refusal<v1::JobPlan>(
            encode(plan),
            decode_job_plan,
            [](v1::JobPlan& message) {
                message.mutable_tasks(1)->set_kind(static_cast<v1::TaskKind>(99));
            }
        ),
        "tasks[1].kind is 99, which is not known here"
    );
    EXPECT_EQ(
        refusal<v1::TaskFailure>(
            encode(TaskFailure()),
            decode_task_failure,
            [](v1::TaskFailure& message) { message.clear_fault(); }
        ),
        "fault is 0, which is not known here"
    );
}

TEST(JobCodec, NamesTheFieldThatIsWrong) {
    EXPECT_EQ(
        spec_refusal([](v1::JobSpec& spec) {
            spec.mutable_render()->set_prompt(std::string(kMaxPromptBytes + 1, 'a'));
        }),
        "render.prompt has 8193 bytes, 8192 are allowed"
    );
    EXPECT_EQ(
        spec_refusal([](v1::JobSpec& spec) {
            spec.mutable_render()->add_styles("fine");
            spec.mutable_render()->add_styles(std::string(300, 's'));
        }),
        "render.styles[1] has 300 bytes, 256 are allowed"
    );
    EXPECT_EQ(
        spec_refusal([](v1::JobSpec& spec) {
            spec.mutable_render()->set_cfg(std::numeric_limits<double>::quiet_NaN());
        }),
        "render.cfg is no finite number"
    );
    EXPECT_EQ(
        spec_refusal([](v1::JobSpec& spec) { spec.set_count(0); }),
        "count is 0, it can be 1 to 10000"
    );
    EXPECT_EQ(
        spec_refusal([](v1::JobSpec& spec) { spec.set_init("../../etc/passwd"); }),
        "init is not 64 lower-case hex digits"
    );
    EXPECT_EQ(
        spec_refusal([](v1::JobSpec& spec) { spec.set_deadline_unix_ms(-1); }),
        "deadline is not in the years 1970 to 2261"
    );
    EXPECT_EQ(
        spec_refusal([](v1::JobSpec& spec) { spec.mutable_output()->set_format("exe"); }),
        "output.format is none of png, jpeg and webp"
    );
}

TEST(JobCodec, NamesTheTextThatIsNotUtf8) {
    ::testing::internal::CaptureStderr();
    EXPECT_EQ(
        spec_refusal([](v1::JobSpec& spec) { spec.mutable_render()->set_prompt("caf\xE9"); }),
        "render.prompt is not UTF-8"
    );
    // The second: from setting it up; what decodes must not let strangers fill the log.
    const std::string log = ::testing::internal::GetCapturedStderr();
    EXPECT_THAT(log, ::testing::Not(HasSubstr("when parsing"))) << log;
}

TEST(JobCodec, FindsWhatIsNotUtf8WhereverItStands) {
    EXPECT_TRUE(rc::check([](const std::string& text) {
        const bool good = check_utf8(text).has_value();
        RC_ASSERT(check_text("field", text, text.size()).has_value() == good);
        const std::string mixed = testing::any_text() + text + testing::any_text();
        RC_ASSERT(check_text("field", mixed, mixed.size()).has_value() == good);
    }));
    EXPECT_FALSE(check_text("field", "12345678\xE9\x9B", 100));
    EXPECT_FALSE(check_text("field", "\xE9\x9B 12345678", 100));
    EXPECT_TRUE(check_text("field", "12345678é12345678雪12", 100));
}

TEST(JobCodec, RefusesPlansWhoseIndicesPointNowhere) {
    JobPlan plan;
    plan.units.resize(2);
    plan.tasks.resize(2);
    plan.tasks[1].needs = {0};
    ASSERT_TRUE(decode_job_plan(encode(plan)));

    JobPlan forward = plan;
    forward.tasks[1].needs = {1};
    EXPECT_EQ(
        decode_job_plan(encode(forward)).error().message,
        "tasks[1].needs names 1, which is no earlier task"
    );
    JobPlan negative = plan;
    negative.tasks[1].needs = {-1};
    EXPECT_EQ(
        decode_job_plan(encode(negative)).error().message,
        "tasks[1].needs[0] is -1, it can be 0 to 32767"
    );
    JobPlan stray = plan;
    stray.tasks[0].unit = 2;
    EXPECT_EQ(decode_job_plan(encode(stray)).error().message, "tasks[0].unit is 2, no unit");
    JobPlan nested = plan;
    nested.units[0].part_of = 1;
    nested.units[1].part_of = 0;
    EXPECT_EQ(decode_job_plan(encode(nested)).error().message, "units[0].part_of is 1, no picture");
}

TEST(JobCodec, RefusesListsWithoutEnd) {
    v1::JobPlan message;
    for (std::size_t i = 0; i <= kMaxTasks; ++i) {
        message.add_tasks();
    }
    const auto plan = decode_job_plan(message.SerializeAsString());
    ASSERT_FALSE(plan);
    EXPECT_EQ(plan.error().message, "tasks has 32769 entries, 32768 are allowed");
}

TEST(JobCodec, RefusesBytesThatAreNoMessage) {
    const std::string good = encode(JobSpec());
    const auto cut = decode_job_spec(good.substr(0, good.size() - 1));
    ASSERT_FALSE(cut);
    EXPECT_EQ(cut.error().kind, ErrorKind::kCorrupt);
    EXPECT_EQ(cut.error().message, "the bytes are no tessera.v1.JobSpec message");
}

TEST(JobCodec, AnyDamageIsRefusedOrGivesAnotherGoodPlan) {
    EXPECT_TRUE(rc::check([] {
        std::string bytes = encode(testing::any_job_plan());
        const int flips = *rc::gen::inRange(1, 6);
        for (int i = 0; i < flips; ++i) {
            bytes[*rc::gen::inRange<std::size_t>(0, bytes.size())] = *rc::gen::arbitrary<char>();
        }
        const auto plan = decode_job_plan(bytes);
        if (plan) {
            RC_ASSERT(check_shape(*plan).has_value());
            const auto again = decode_job_plan(encode(*plan));
            RC_ASSERT(again.has_value());
            RC_ASSERT(*again == *plan);
        } else {
            RC_ASSERT(plan.error().kind == ErrorKind::kCorrupt);
        }
    }));
}

TEST(JobCodec, MakesEveryFailureFit) {
    TaskFailure failure;
    failure.message = "ends in the middle: " + std::string(kMaxMessageBytes, 'm');
    failure.log = std::string(kMaxLogBytes, 'l') + "\xFF\xFE last words: 雪";
    const auto again = decode_task_failure(encode(failure));
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(again->message, failure.message.substr(0, kMaxMessageBytes));
    EXPECT_EQ(again->log.size(), kMaxLogBytes);
    EXPECT_TRUE(again->log.ends_with("l?? last words: 雪"));

    EXPECT_TRUE(rc::check([](const std::string& message, const std::string& log) {
        RC_ASSERT(decode_task_failure(encode(TaskFailure{{}, true, message, log})).has_value());
    }));
}

}  // namespace
}  // namespace tessera
