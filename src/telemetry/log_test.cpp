#include "telemetry/log.h"

#include "telemetry/log_file.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>

namespace tessera {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

LogRecord record_of(std::string job, std::string message, LogLevel level = LogLevel::kInfo) {
    LogRecord record;
    record.time = WallTime(std::chrono::milliseconds(1'800'000'000'123));
    record.level = level;
    record.message = std::move(message);
    record.job = std::move(job);
    return record;
}

TEST(Log, IsJsonForPrograms) {
    LogRecord record = record_of("j1", "the \"disk\" is\nfull", LogLevel::kError);
    record.task = "j1.2";
    record.worker = "w1";
    record.trace = "0af7";
    EXPECT_EQ(
        to_json(record),
        R"({"time":"2027-01-15T08:00:00.123Z","level":"error","message":"the \"disk\" is\nfull",)"
        R"("job":"j1","task":"j1.2","worker":"w1","trace_id":"0af7"})"
    );
    EXPECT_THAT(to_json(record_of("", "\xff")), HasSubstr("\"message\":\"\xEF\xBF\xBD\""));
}

TEST(Log, IsReadAgain) {
    LogRecord record = record_of("j1", "a \"line\"", LogLevel::kDebug);
    record.task = "j1.0";
    record.worker = "w";
    record.trace = "ab";
    EXPECT_EQ(parse_log_record(to_json(record)), record);
    for (const char* wrong :
         {"",
          "[]",
          "{",
          R"({"time":"2027-01-15T08:00:00.123Z","level":"loud"})",
          R"({"time":"yesterday","level":"info"})",
          R"({"time":5,"level":"info"})"}) {
        EXPECT_FALSE(parse_log_record(wrong)) << wrong;
    }
}

TEST(Log, IsALineForPeople) {
    LogRecord record = record_of("j1", "lost", LogLevel::kWarning);
    record.task = "j1.2";
    EXPECT_EQ(to_line(record), "08:00:00.123 warning  lost  task=j1.2");
}

TEST(Log, CommandsNoTerminal) {
    const std::string line = to_line(record_of(
        "",
        "a\x1b[2Jb\nc\x7f\xc2\x9b"
        "d\xe2\x80\xae"
        "e"
    ));
    EXPECT_THAT(line, HasSubstr("a\\x1b[2Jb\\nc\\x7f\\x9bde"));
}

TEST(Log, HidesSecrets) {
    EXPECT_EQ(without_secrets("key tsr_Ab12_x is wrong"), "key tsr_[hidden] is wrong");
    EXPECT_EQ(
        without_secrets("Authorization: Bearer abc.def-1, Basic dXNl"),
        "Authorization: Bearer [hidden], Basic [hidden]"
    );
    EXPECT_EQ(without_secrets("keys begin with tsr_"), "keys begin with tsr_");
}

TEST(Log, HidesWhatAPersonWrote) {
    const std::vector<std::string> words{"a red fox", "ab", ""};
    EXPECT_EQ(
        without_words("no token for 'a red fox' in a red fox, ab", words),
        "no token for '[hidden]' in [hidden], ab"
    );
}

TEST(Log, PassesOnWhatMattersWithoutSecrets) {
    Log log(Clock::system(), LogLevel::kWarning);
    std::vector<LogRecord> heard;
    log.add([&](const LogRecord& record) { heard.push_back(record); });
    log.write(LogLevel::kInfo, "all is well");
    log.write(LogLevel::kError, "tsr_secret leaked");
    ASSERT_THAT(heard, SizeIs(1));
    EXPECT_EQ(heard[0].message, "tsr_[hidden] leaked");
    EXPECT_NE(heard[0].time, WallTime{});
}

class LogFileTest : public testing::Test {
  protected:
    void SetUp() override {
        std::string name = (std::filesystem::temp_directory_path() / "tessera-log-XXXXXX").string();
        folder_ = ::mkdtemp(name.data());
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    std::filesystem::path folder_;
};

TEST_F(LogFileTest, FindsWhatConcernsAJobInOrder) {
    const auto file = LogFile::open(folder_ / "logs").value();
    file->write(record_of("j1", "first"));
    file->write(record_of("j2", "about j1"));
    LogRecord last = record_of("j1", "last", LogLevel::kWarning);
    last.worker = "w1";
    file->write(last);
    LogQuery query;
    query.job = "j1";
    EXPECT_THAT(file->read(query), ElementsAre(HasSubstr("first"), HasSubstr("last")));
    query.limit = 1;
    EXPECT_THAT(file->read(query), ElementsAre(HasSubstr("last")));
    query = {};
    query.least = LogLevel::kWarning;
    EXPECT_THAT(file->read(query), ElementsAre(HasSubstr("last")));
    query = {};
    query.worker = "w1";
    EXPECT_THAT(file->read(query), ElementsAre(HasSubstr("last")));
    query = {};
    query.after = "2027-01-15T08:00:00.123Z";
    EXPECT_THAT(file->read(query), IsEmpty());
}

TEST_F(LogFileTest, OutlivesTheProcessAndStaysBounded) {
    constexpr std::uint64_t kBytes = 2000;
    for (int life = 0; life < 3; ++life) {
        const auto file = LogFile::open(folder_, kBytes, 2).value();
        for (int i = 0; i < 100; ++i) {
            file->write(record_of("j1", fmt::format("life {} line {}", life, i)));
        }
    }
    std::uint64_t bytes = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
        bytes += entry.file_size();
    }
    EXPECT_LE(bytes, 3 * kBytes);
    const auto lines = LogFile::open(folder_, kBytes, 2).value()->read({});
    ASSERT_GT(lines.size(), 10U);
    EXPECT_THAT(lines.back(), HasSubstr("life 2 line 99"));
    EXPECT_THAT(lines[lines.size() - 2], HasSubstr("life 2 line 98"));
}

TEST_F(LogFileTest, SaysWhyItCannotWrite) {
    const auto file = LogFile::open("/proc/none");
    ASSERT_FALSE(file);
    EXPECT_THAT(file.error().message, HasSubstr("/proc/none"));
}

}  // namespace
}  // namespace tessera
