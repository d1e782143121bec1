#include "link/messages.h"

#include "job/shape.h"
#include "job/tile_grid.h"
#include "link/link_test.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <tessera/v1/farm.pb.h>

#include <limits>
#include <string>

namespace tessera {
namespace {

constexpr const char* kJob = "01kb3v5x9n8e7m2t4q6r0w1y2z";

template <class Message, class Decode>
void expect_round_trip(const Message& message, const Decode& decode) {
    const auto frame = encode(message);
    RC_ASSERT(frame.has_value());
    const auto again = decode(*frame);
    RC_ASSERT(again.has_value());
    RC_ASSERT(*again == message);
}

TEST(LinkMessages, GiveBackWhateverAWorkerSays) {
    EXPECT_TRUE(rc::check([] {
        expect_round_trip(testing::any_worker_message(), decode_worker_message);
    }));
}

TEST(LinkMessages, GiveBackWhateverTheServerSays) {
    EXPECT_TRUE(rc::check([] {
        expect_round_trip(testing::any_server_message(), decode_server_message);
    }));
}

TEST(LinkMessages, CarryTheWholeEpoch) {
    const CancelTask cancel{{{kJob}, 3}, {std::numeric_limits<std::uint64_t>::max()}};
    const auto again = decode_server_message(encode(cancel).value());
    ASSERT_TRUE(again);
    EXPECT_EQ(std::get<CancelTask>(*again), cancel);
}

TEST(LinkMessages, AreRefusedWhenDamagedOrAreOtherGoodOnes) {
    EXPECT_TRUE(rc::check([] {
        std::string frame = encode(testing::any_worker_message()).value();
        RC_PRE(!frame.empty());
        for (int i = *rc::gen::inRange(1, 6); i > 0; --i) {
            frame[*rc::gen::inRange<std::size_t>(0, frame.size())] = *rc::gen::arbitrary<char>();
        }
        const auto message = decode_worker_message(frame);
        if (message) {
            RC_ASSERT(encode(*message).has_value());
        } else {
            RC_ASSERT(message.error().kind == ErrorKind::kCorrupt);
        }
    }));
}

TEST(LinkMessages, OfALargeMergeFitIntoAFrame) {
    AssignTask assign;
    assign.task = {{kJob}, 3};
    assign.recipe.assign(16U << 10U, 'r');
    JobSpec spec;
    spec.render.prompt.assign(kMaxPromptBytes, 'p');
    spec.render.negative_prompt.assign(kMaxPromptBytes, 'n');
    assign.spec = encode(spec);
    assign.object_token.assign(512, 't');
    for (int i = 0; i < kMaxTiles; ++i) {
        assign.plan.needs.push_back(i);
        TaskResult tile;
        tile.object = {std::string(64, 'a'), 1U << 24U, "image/png"};
        tile.fingerprint.assign(64, 'f');
        for (const char* stage : {"text", "steps", "decoding", "enlarging", "storing"}) {
            tile.times.push_back({stage, 1.0 / 3.0});
        }
        tile.width = 1024;
        tile.height = 1024;
        assign.inputs.push_back(tile);
        assign.input_units.push_back({i, {1 << 14, 1 << 14, 1024, 1024}});
    }
    const auto frame = encode(assign);
    EXPECT_TRUE(frame) << frame.error().message;
}

TEST(LinkMessages, MayNotBeLargerThanAFrame) {
    Heartbeat heartbeat;
    for (int i = 0; i < 8; ++i) {
        heartbeat.tasks.push_back({{{kJob}, i}, {}, {}, std::string(kMaxPreviewBytes, 'x')});
    }
    const auto frame = encode(heartbeat);
    ASSERT_FALSE(frame);
    EXPECT_EQ(frame.error().kind, ErrorKind::kExhausted);
    heartbeat.tasks.pop_back();
    EXPECT_TRUE(encode(heartbeat));

    const auto message = decode_worker_message(std::string(kMaxFrameBytes + 1, '\0'));
    ASSERT_FALSE(message);
    EXPECT_EQ(message.error().message, "the frame has 262145 bytes, 262144 are allowed");
}

/// The error of a frame that somebody else wrote.
template <class Fill>
std::string worker_refusal(const Fill& fill) {
    v1::WorkerFrame frame;
    fill(frame);
    const auto message = decode_worker_message(frame.SerializeAsString());
    if (message) {
        return "accepted";
    }
    EXPECT_EQ(message.error().kind, ErrorKind::kCorrupt);
    return message.error().message;
}

template <class Fill>
std::string server_refusal(const Fill& fill) {
    v1::ServerFrame frame;
    fill(frame);
    const auto message = decode_server_message(frame.SerializeAsString());
    if (message) {
        return "accepted";
    }
    EXPECT_EQ(message.error().kind, ErrorKind::kCorrupt);
    return message.error().message;
}

TEST(LinkMessages, WithoutContentAreRefused) {
    EXPECT_EQ(worker_refusal([](v1::WorkerFrame&) {}), "frame.message is none that is known here");
    EXPECT_EQ(server_refusal([](v1::ServerFrame&) {}), "frame.message is none that is known here");
    EXPECT_EQ(
        worker_refusal([](v1::WorkerFrame& frame) { frame.mutable_completed(); }),
        "completed.result.object.sha256 is not 64 lower-case hex digits"
    );
}

TEST(LinkMessages, OfAWorkerNameTheFieldThatIsWrong) {
    EXPECT_EQ(
        worker_refusal([](v1::WorkerFrame& frame) { frame.mutable_ready()->set_slots(-1); }),
        "ready.slots is -1, it can be 0 to 1024"
    );
    EXPECT_EQ(
        worker_refusal([](v1::WorkerFrame& frame) { frame.mutable_hello()->set_worker("a/../b"); }),
        "hello.worker is not 1 to 64 letters, digits, '-' and '_'"
    );
    EXPECT_EQ(
        worker_refusal([](v1::WorkerFrame& frame) {
            frame.mutable_hello()->set_worker("w");
            frame.mutable_hello()->set_slots(1);
            frame.mutable_hello()->add_holds();
        }),
        "hello.holds[0].claim.task.job is not 1 to 64 letters, digits, '-' and '_'"
    );
    EXPECT_EQ(
        worker_refusal([](v1::WorkerFrame& frame) {
            for (int i = 0; i <= kMaxSlots; ++i) {
                frame.mutable_heartbeat()->add_tasks();
            }
        }),
        "heartbeat.tasks has 1025 entries, 1024 are allowed"
    );
    EXPECT_EQ(
        worker_refusal([](v1::WorkerFrame& frame) {
            v1::TaskBeat& beat = *frame.mutable_heartbeat()->add_tasks();
            beat.mutable_claim()->mutable_task()->set_job(kJob);
            beat.mutable_progress()->set_step(3);
        }),
        "heartbeat.tasks[0].progress.step is 3, it can be 0 to 0"
    );
    EXPECT_EQ(
        worker_refusal([](v1::WorkerFrame& frame) {
            v1::TaskBeat& beat = *frame.mutable_heartbeat()->add_tasks();
            beat.mutable_claim()->mutable_task()->set_job(kJob);
            beat.set_preview(std::string(kMaxPreviewBytes + 1, 'x'));
        }),
        "heartbeat.tasks[0].preview has 32769 bytes, 32768 are allowed"
    );
    EXPECT_EQ(
        worker_refusal([](v1::WorkerFrame& frame) {
            frame.mutable_failed()->mutable_claim()->mutable_task()->set_job(kJob);
            frame.mutable_failed()->mutable_failure();
        }),
        "failed.failure.fault is 0, which is not known here"
    );
}

/// A task as it would be sent.
v1::AssignTask& good_assignment(v1::ServerFrame& frame) {
    AssignTask assign;
    assign.task = {{kJob}, 1};
    assign.spec = encode(JobSpec());
    assign.plan.needs = {0};
    assign.inputs.emplace_back().object = {std::string(64, '0'), 1, "image/png"};
    assign.input_units.emplace_back();
    EXPECT_TRUE(frame.ParseFromString(encode(ServerMessage(assign)).value()));
    return *frame.mutable_assign();
}

TEST(LinkMessages, OfTheServerNameTheFieldThatIsWrong) {
    EXPECT_EQ(server_refusal([](v1::ServerFrame& frame) { good_assignment(frame); }), "accepted");
    EXPECT_EQ(
        server_refusal([](v1::ServerFrame& frame) {
            good_assignment(frame).mutable_plan()->mutable_needs()->Resize(2000, 0);
        }),
        "assign.plan.needs has 2000 entries, 1024 are allowed"
    );
    EXPECT_EQ(
        server_refusal([](v1::ServerFrame& frame) {
            good_assignment(frame).mutable_spec()->mutable_render()->set_size("\xFF");
        }),
        "assign.spec.render.size is not UTF-8"
    );
    EXPECT_EQ(
        server_refusal([](v1::ServerFrame& frame) {
            good_assignment(frame).mutable_spec()->clear_kind();
        }),
        "assign.spec.kind is 0, which is not known here"
    );
    EXPECT_EQ(
        server_refusal([](v1::ServerFrame& frame) { good_assignment(frame).clear_inputs(); }),
        "assign.inputs has 0 entries and input_units 1, plan.needs has 1"
    );
    EXPECT_EQ(
        server_refusal([](v1::ServerFrame& frame) {
            good_assignment(frame).mutable_inputs(0)->set_width(-1);
        }),
        "assign.inputs[0].width is -1, it can be 0 to 1048576"
    );
    EXPECT_EQ(
        server_refusal([](v1::ServerFrame& frame) {
            frame.mutable_hello()->set_lease_seconds(std::numeric_limits<double>::infinity());
        }),
        "hello.lease_seconds is inf, it can be 0 to 86400"
    );
    EXPECT_EQ(
        server_refusal([](v1::ServerFrame& frame) {
            v1::HeartbeatAnswer& answer = *frame.mutable_heartbeat_answer();
            answer.add_tasks()->mutable_claim()->mutable_task()->set_job(kJob);
        }),
        "heartbeat_answer.tasks[0].order is 0, which is not known here"
    );
}

TEST(LinkMessages, ThatCouldNotBeReadAreNotSent) {
    TaskCompleted completed;
    completed.task = {{kJob}, 0};
    completed.result.object = {std::string(64, '0'), 1, "image/png"};
    completed.result.recipe.assign(kMaxRecipeBytes + 1, 'r');
    const auto frame = encode(completed);
    ASSERT_FALSE(frame);
    EXPECT_EQ(frame.error().kind, ErrorKind::kInvalidArgument);
    EXPECT_EQ(frame.error().message, "completed.result.recipe has 65537 bytes, 65536 are allowed");

    AssignTask assign;
    assign.task = {{kJob}, 0};
    assign.spec = "no spec";
    EXPECT_EQ(
        encode(assign).error().message, "assign.spec: the bytes are no tessera.v1.JobSpec message"
    );
}

TEST(LinkMessages, TellOfEveryFailureWhateverItSays) {
    TaskFailed failed;
    failed.task = {{kJob}, 0};
    failed.failure.log = std::string(3 * kMaxLogBytes, '\xFE') + "the end";
    const auto frame = encode(failed);
    ASSERT_TRUE(frame) << frame.error().message;
    const auto again = decode_worker_message(*frame);
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_TRUE(std::get<TaskFailed>(*again).failure.log.ends_with("?the end"));
}

}  // namespace
}  // namespace tessera
