#include "api/paced_stream.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <string>

namespace tessera::api {
namespace {

/// A reader that takes nothing until it is told to.
class SlowStream final : public http::ResponseStream {
  public:
    bool send(std::string part) override {
        const std::scoped_lock lock(mutex_);
        ++tries_;
        changed_.notify_all();
        if (!is_open_) {
            return false;
        }
        text_ += part;
        return true;
    }
    bool send_latest(std::string_view /*topic*/, std::string part) override {
        return send(std::move(part));
    }
    void finish() override {
        const std::scoped_lock lock(mutex_);
        text_ += "|end";
        is_finished_ = true;
        changed_.notify_all();
    }
    void on_gone(std::function<void()> /*gone*/) override {}

    void open() {
        const std::scoped_lock lock(mutex_);
        is_open_ = true;
    }
    void wait_for_tries(int tries) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return tries_ >= tries; });
    }
    std::string finished() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return is_finished_; });
        return text_;
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::string text_;
    int tries_ = 0;
    bool is_open_ = false;
    bool is_finished_ = false;
};

TEST(StreamPacer, BringsEveryPartInOrderToASlowReader) {
    const auto slow = std::make_shared<SlowStream>();
    StreamPacer pacer;
    const auto stream = std::make_shared<PacedStream>(slow);
    pacer.send(stream, "a");
    pacer.send(stream, "b");
    pacer.finish(stream);
    slow->wait_for_tries(4);
    slow->open();
    EXPECT_EQ(slow->finished(), "ab|end");
}

TEST(StreamPacer, FinishesAtOnceWhenNothingWaits) {
    const auto slow = std::make_shared<SlowStream>();
    slow->open();
    StreamPacer pacer;
    const auto stream = std::make_shared<PacedStream>(slow);
    pacer.send(stream, "a");
    pacer.finish(stream);
    EXPECT_EQ(slow->finished(), "a|end");
}

TEST(PacedStream, DropsWhatWaitsForAReaderThatHasGone) {
    const auto slow = std::make_shared<SlowStream>();
    PacedStream stream(slow);
    EXPECT_TRUE(stream.send("a"));
    stream.drop();
    EXPECT_FALSE(stream.flush());
    EXPECT_FALSE(stream.send("b"));
}

TEST(StreamPacer, CanGoWhileAReaderIsSlow) {
    const auto slow = std::make_shared<SlowStream>();
    auto pacer = std::make_unique<StreamPacer>();
    pacer->send(std::make_shared<PacedStream>(slow), "a");
    slow->wait_for_tries(2);
    pacer.reset();
}

}  // namespace
}  // namespace tessera::api
