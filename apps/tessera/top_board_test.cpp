#include "tessera/top_board.h"

#include "base/utf8.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace tessera::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kQueue = R"({"ready": 12, "running": 2, "blocked": 0, "delayed": 1,
    "waiting_cost": 12.0, "backlog_seconds": 90.0, "lines_left_out": 0, "lines": [
    {"priority": "batch", "tenant": "alice", "tasks": 10, "cost": 10.0, "oldest_seconds": 300.0},
    {"priority": "normal", "tenant": "bob", "tasks": 2, "cost": 2.0, "oldest_seconds": 4.0}]})";
constexpr const char* kWorkers = R"({"backlog_seconds": 90.0, "workers": [
    {"id": "worker-1", "node": "n", "state": "ready", "slots": 2, "running": 1,
     "models_loaded": ["tiny"], "memory_bytes": 1000000, "done": 5, "failed": 0,
     "seconds_since_heartbeat": 1.0, "last_error": "",
     "tasks": [{"task": "t1", "job": "j1", "step": 4, "steps": 20, "stage": "denoise",
                "seconds": 2.0}]},
    {"id": "worker-2", "node": "n", "state": "silent", "slots": 1, "running": 0,
     "models_loaded": [], "memory_bytes": 3000000, "done": 9, "failed": 2,
     "seconds_since_heartbeat": 31.0, "last_error": "no \u001b[2Jmemory", "tasks": []}]})";
constexpr const char* kJobs = R"({"jobs": [
    {"id": "j1", "tenant": "alice", "state": "running", "fraction": 0.5, "pictures": 4,
     "pictures_done": 2, "spec": {"priority": "batch", "prompt": "a boat"}},
    {"id": "j2", "tenant": "bob", "state": "queued", "fraction": 0.0, "pictures": 1,
     "pictures_done": 0, "spec": {"priority": "normal", "prompt": "灯台 at dawn"}}]})";

FarmGlance usual_glance() {
    FarmGlance glance;
    EXPECT_TRUE(glance.take_queue(kQueue));
    EXPECT_TRUE(glance.take_workers(kWorkers));
    EXPECT_TRUE(glance.take_jobs(kJobs));
    return glance;
}

Key letter(const std::string& text) {
    return {Key::Kind::kCharacter, text};
}

class TopBoardTest : public testing::Test {
  protected:
    TopBoard board_{"http://farm", true};

    TopBoardTest() { board_.take(usual_glance()); }

    std::string screen(std::size_t columns = 160, std::size_t rows = 30) {
        std::string all;
        for (const BoardLine& line : board_.draw(columns, rows)) {
            all += line.text + "\n";
        }
        return all;
    }
    std::string chosen() {
        for (const BoardLine& line : board_.draw(160, 30)) {
            if (line.look == BoardLine::Look::kSelected) {
                return line.text;
            }
        }
        return {};
    }
    void press(Key::Kind kind) { EXPECT_FALSE(board_.press({kind, {}})); }
    void type(const std::string& text) {
        for (const char each : text) {
            EXPECT_FALSE(board_.press(letter(std::string(1, each))));
        }
    }
};

TEST_F(TopBoardTest, ShowsQueueWorkersAndJobs) {
    const std::string shown = screen();
    EXPECT_THAT(shown, HasSubstr("2 workers, 1 of 3 slots busy; 12 ready, 2 running"));
    EXPECT_THAT(shown, HasSubstr("1 to be tried again; about 1 min 30 s of work"));
    EXPECT_THAT(shown, HasSubstr("denoise 4/20"));
    EXPECT_THAT(shown, HasSubstr("5 min"));
    EXPECT_THAT(shown, HasSubstr("灯台 at dawn"));
}

TEST_F(TopBoardTest, FitsEveryTerminal) {
    for (const std::size_t columns : {1U, 7U, 20U, 80U, 300U}) {
        for (const std::size_t rows : {1U, 2U, 5U, 14U, 24U, 100U}) {
            const auto lines = board_.draw(columns, rows);
            EXPECT_EQ(lines.size(), rows);
            for (const BoardLine& line : lines) {
                EXPECT_EQ(display_width(line.text), columns) << line.text;
            }
        }
    }
}

TEST_F(TopBoardTest, WordsFromOutsideCommandNoTerminal) {
    EXPECT_THAT(screen(), Not(HasSubstr("\x1b")));
    EXPECT_THAT(screen(), HasSubstr("no  [2Jmemory"));
}

TEST_F(TopBoardTest, SortsNumbersAsNumbersAndTheOtherWayRound) {
    press(Key::Kind::kBackTab);
    type("ss");
    EXPECT_THAT(screen(), HasSubstr("Queue (2), by tasks"));
    press(Key::Kind::kHome);
    EXPECT_THAT(chosen(), HasSubstr("alice"));
    type("r");
    press(Key::Kind::kHome);
    EXPECT_THAT(chosen(), HasSubstr("bob"));
}

TEST_F(TopBoardTest, TheChosenRowStaysChosenWhenOthersCome) {
    press(Key::Kind::kEnd);
    EXPECT_THAT(chosen(), HasSubstr("worker-2"));
    FarmGlance more = usual_glance();
    more.workers.insert(more.workers.begin(), more.workers.front());
    more.workers.front().id = "worker-0";
    board_.take(more);
    EXPECT_THAT(chosen(), HasSubstr("worker-2"));
}

TEST_F(TopBoardTest, TheChosenRowOfALongTableIsInSight) {
    FarmGlance many = usual_glance();
    for (int i = 0; i < 500; ++i) {
        many.workers.push_back(many.workers.front());
        many.workers.back().id = "w" + std::to_string(i);
    }
    board_.take(many);
    press(Key::Kind::kEnd);
    EXPECT_THAT(chosen(), HasSubstr("worker-2"));
    EXPECT_THAT(screen(), HasSubstr("Jobs (2)"));
    press(Key::Kind::kHome);
    EXPECT_THAT(chosen(), HasSubstr("w0"));
}

TEST_F(TopBoardTest, AFilterHidesRowsAndEscapeShowsThem) {
    type("/BOAT");
    press(Key::Kind::kEnter);
    EXPECT_THAT(screen(), HasSubstr("Jobs (1 of 2)"));
    EXPECT_THAT(screen(), HasSubstr("Workers (0 of 2)"));
    press(Key::Kind::kEscape);
    EXPECT_THAT(screen(), HasSubstr("Jobs (2)"));
}

TEST_F(TopBoardTest, DrainingTakesAYes) {
    press(Key::Kind::kDown);
    type("d");
    EXPECT_THAT(screen(), HasSubstr("drain worker-2? y: yes"));
    type("n");
    EXPECT_THAT(screen(), HasSubstr("nothing was done"));
    type("d");
    const auto order = board_.press(letter("y"));
    ASSERT_TRUE(order);
    EXPECT_EQ(order->kind, BoardOrder::Kind::kDrainWorker);
    EXPECT_EQ(order->id, "worker-2");
}

TEST_F(TopBoardTest, TheYesIsForTheRowOfTheQuestion) {
    press(Key::Kind::kTab);
    type("c");
    FarmGlance fewer = usual_glance();
    fewer.jobs.erase(fewer.jobs.begin());
    board_.take(fewer);
    const auto order = board_.press(letter("y"));
    ASSERT_TRUE(order);
    EXPECT_EQ(order->kind, BoardOrder::Kind::kCancelJob);
    EXPECT_EQ(order->id, "j1");
}

TEST_F(TopBoardTest, AnOrderForTheWrongTableSaysWhereToGo) {
    type("c");
    EXPECT_THAT(screen(), HasSubstr("choose a job first"));
}

TEST_F(TopBoardTest, SaysWhatDoesNotWorkAndKeepsWhatWasSeen) {
    board_.set_trouble("the farm does not answer");
    EXPECT_THAT(screen(), HasSubstr("the farm does not answer"));
    EXPECT_THAT(screen(), HasSubstr("worker-1"));
}

TEST_F(TopBoardTest, PrintsEveryRow) {
    std::string all;
    for (const std::string& line : board_.print(0)) {
        all += line + "\n";
    }
    EXPECT_THAT(all, HasSubstr("worker-2"));
    EXPECT_THAT(all, HasSubstr("灯台 at dawn"));
    EXPECT_THAT(all, Not(HasSubstr(" \n")));
}

TEST(FarmGlance, ToleratesWhatIsNoAnswer) {
    FarmGlance glance;
    EXPECT_FALSE(glance.take_queue("<html>"));
    EXPECT_TRUE(glance.take_queue(R"({"ready": "many", "lines": [1, null, {"tasks": -4}]})"));
    EXPECT_TRUE(glance.take_workers(R"({"workers": [{"slots": 1e300, "models_loaded": [3]}]})"));
    EXPECT_TRUE(glance.take_jobs(R"({"jobs": [{"fraction": 7, "spec": 3}]})"));
    EXPECT_EQ(glance.lines.at(0).tasks, 0U);
    EXPECT_EQ(glance.jobs.at(0).fraction, 1.0);
}

TEST(StepRates, AreStepsByTime) {
    StepRates rates;
    FarmGlance glance = usual_glance();
    rates.rate(glance, 10.0);
    EXPECT_EQ(glance.workers[0].steps_per_second, 0.0);
    glance.workers[0].tasks[0].step = 8;
    rates.rate(glance, 12.0);
    EXPECT_DOUBLE_EQ(glance.workers[0].steps_per_second, 2.0);
    rates.rate(glance, 12.5);
    EXPECT_DOUBLE_EQ(glance.workers[0].steps_per_second, 2.0);
    rates.rate(glance, 22.0);
    EXPECT_DOUBLE_EQ(glance.workers[0].steps_per_second, 0.1);
}

TEST(StepRates, BeginAnewWithAnotherTask) {
    StepRates rates;
    FarmGlance glance = usual_glance();
    rates.rate(glance, 10.0);
    glance.workers[0].tasks[0].id = "t2";
    glance.workers[0].tasks[0].step = 19;
    rates.rate(glance, 11.0);
    EXPECT_EQ(glance.workers[0].steps_per_second, 0.0);
}

}  // namespace
}  // namespace tessera::cli
