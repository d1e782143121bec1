#include "base/file.h"
#include "imaging/sandbox_process.h"
#include "imaging/sandbox_protocol.h"
#include "imaging/sandboxed_decoder.h"
#include "program.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <thread>

namespace tessera {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

const fs::path kPictures = TESSERA_TEST_DATA "/imaging";

/// The real helper's code, or one of the parts that sandbox_helper_program.cpp plays.
SandboxedDecoder decoder_that(const std::string& role, const SandboxLimits& limits = {}) {
    return {TESSERA_SANDBOX_HELPER, {"helper", role}, limits};
}

SandboxedDecoder program() {
    return {TESSERA_BINARY, {"tessera", "decode-picture"}};
}

std::string picture(const std::string& name) {
    return read_file(kPictures / name, 1U << 20U).value();
}

Image noise(int width, int height) {
    Image image{width, height, 3, {}};
    std::uint32_t state = 1;
    const auto values = static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3;
    std::generate_n(std::back_inserter(image.pixels), values, [&] {
        state = state * 1664525U + 1013904223U;
        return static_cast<std::uint8_t>(state >> 24U);
    });
    return image;
}

void expect_same(
    const Result<Image>& sandboxed, const Result<Image>& plain, const std::string& of
) {
    ASSERT_EQ(sandboxed.has_value(), plain.has_value())
        << of << ": " << (sandboxed ? plain : sandboxed).error().message;
    if (plain) {
        EXPECT_TRUE(*sandboxed == *plain) << of;
    } else {
        EXPECT_EQ(sandboxed.error().kind, plain.error().kind) << of;
        EXPECT_EQ(sandboxed.error().message, plain.error().message) << of;
    }
}

void expect_refused(
    const Result<Image>& image, ErrorKind kind, const std::string& words, const std::string& why
) {
    ASSERT_FALSE(image) << why;
    EXPECT_EQ(image.error().kind, kind) << why << ": " << image.error().message;
    EXPECT_THAT(image.error().message, HasSubstr(words)) << why;
}

/// Living or dead; they stay to be waited for.
bool has_children() {
    siginfo_t info{};
    return ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 || errno != ECHILD;
}

std::ptrdiff_t count_open_files() {
    return std::distance(fs::directory_iterator("/proc/self/fd"), {});
}

/// For what limits alone cannot do.
class Seccomp : public ::testing::Test {
  protected:
    void SetUp() override {
        const auto strength = decoder_that("serve").strength();
        ASSERT_TRUE(strength) << strength.error().message;
        if (*strength == SandboxStrength::kLimitsOnly) {
            GTEST_SKIP() << "this system offers no seccomp filters";
        }
    }
};

TEST(SandboxedDecoder, GivesWhatDecodingInTheProcessGives) {
    for (const auto& entry : fs::directory_iterator(kPictures)) {
        const std::string file = picture(entry.path().filename());
        expect_same(
            decoder_that("serve").decode(as_bytes(file)), decode(as_bytes(file)), entry.path()
        );
        const auto half = as_bytes(file).first(file.size() / 2);
        expect_same(decoder_that("serve").decode(half), decode(half), entry.path());
    }
    expect_same(decoder_that("serve").decode({}), decode({}), "nothing");
}

TEST(SandboxedDecoder, TheProgramIsItsOwnHelper) {
    for (const std::string name :
         {"gradient.png",
          "rgba16.png",
          "swapped_profile.png",
          "broken_profile.png",
          "bomb.png",
          "cmyk.jpg",
          "orientation_6.jpg",
          "progressive.jpg",
          "alpha.webp",
          "animated.webp",
          "refused.gif"}) {
        const std::string file = picture(name);
        expect_same(program().decode(as_bytes(file)), decode(as_bytes(file)), name);
    }
}

TEST(SandboxedDecoder, APictureLargerThanThePipeComesWhole) {
    const Image image = noise(1201, 901);
    for (const auto format : {PictureFormat::kPng, PictureFormat::kJpeg, PictureFormat::kWebp}) {
        const auto file = encode(image, format, {90, true, 1});
        ASSERT_TRUE(file);
        expect_same(decoder_that("serve").decode(*file), decode(*file), to_string(format));
    }
}

TEST(SandboxedDecoder, NoPictureIsLargeEnoughForATemporaryFile) {
    // libvips makes one from 100 MB on.
    constexpr int kSide = 6000;
    const Image image{kSide, kSide, 3, std::vector<std::uint8_t>(std::size_t{kSide} * kSide * 3)};
    for (const auto format : {PictureFormat::kPng, PictureFormat::kJpeg, PictureFormat::kWebp}) {
        const auto file = encode(image, format, {80, false, 1});
        ASSERT_TRUE(file);
        expect_same(decoder_that("serve").decode(*file), image, to_string(format));
    }
}

TEST(SandboxedDecoder, HoldsTheLimitsOfDecoding) {
    const std::string file = picture("gradient.png");
    for (const DecodeLimits& limits :
         {DecodeLimits{24 * 16 - 1, 24, 1 << 20},
          DecodeLimits{24 * 16, 23, 1 << 20},
          DecodeLimits{24 * 16, 24, file.size() - 1},
          DecodeLimits{24 * 16, 24, file.size()}}) {
        expect_same(
            decoder_that("serve").decode(as_bytes(file), limits),
            decode(as_bytes(file), limits),
            "gradient.png"
        );
    }
}

TEST(SandboxedDecoder, TheHelperIsGivenNothingElse) {
    ::setenv("TESSERA_SECRET", "secret", 1);
    const OwnedFd inheritable(::open("/dev/null", O_RDONLY));  // NOLINT(android-cloexec-open)
    const auto shown = decoder_that("show inheritance").decode(as_bytes(picture("gradient.png")));
    ::unsetenv("TESSERA_SECRET");
    ASSERT_TRUE(shown) << shown.error().message;
    const std::uint8_t settings = std::getenv("LD_LIBRARY_PATH") == nullptr ? 0 : 1;
    EXPECT_THAT(shown->pixels, ::testing::ElementsAre(3, settings, 1, 0));
}

TEST(SandboxedDecoder, TheHelperCannotChangeItsInput) {
    EXPECT_TRUE(decoder_that("rewrite the input").decode(as_bytes(picture("gradient.png"))));
}

TEST_F(Seccomp, EndsAHelperThatTriesWhatItNeedsNot) {
    const std::string file = picture("gradient.png");
    EXPECT_TRUE(decoder_that("answer").decode(as_bytes(file)));
    for (const std::string attempt :
         {"open",
          "open on another thread",
          "socket",
          "execve",
          "fork",
          "clone",
          "kill the parent",
          "signal another process",
          "make code",
          "turn data into code",
          "write elsewhere",
          "trace",
          "loosen the limits"}) {
        expect_refused(
            decoder_that(attempt).decode(as_bytes(file)),
            ErrorKind::kCorrupt,
            "the PNG picture made its decoder try a system call that is forbidden",
            attempt
        );
    }
}

TEST(SandboxedDecoder, WithoutSeccompTheLimitsStay) {
    const auto weaker = decoder_that("serve without seccomp");
    EXPECT_EQ(weaker.strength().value(), SandboxStrength::kLimitsOnly);
    const std::string file = picture("gradient.png");
    expect_same(weaker.decode(as_bytes(file)), decode(as_bytes(file)), "gradient.png");
}

TEST(SandboxedDecoder, LimitsMemory) {
    SandboxLimits limits;
    limits.memory_bytes = std::uint64_t{32} << 20U;
    expect_refused(
        decoder_that("take all memory", limits).decode(as_bytes(picture("gradient.png"))),
        ErrorKind::kExhausted,
        "takes more than 32 MB of memory",
        "maps memory"
    );
    const auto wide = encode(noise(4000, 4000), PictureFormat::kPng, {90, false, 1});
    ASSERT_TRUE(wide);
    expect_refused(
        decoder_that("serve", limits).decode(*wide),
        ErrorKind::kExhausted,
        "decoding the PNG picture takes more than 32 MB of memory",
        "4000x4000"
    );
    limits.memory_bytes = std::uint64_t{256} << 20U;
    EXPECT_TRUE(decoder_that("serve", limits).decode(*wide));
}

TEST(SandboxedDecoder, LimitsProcessorTime) {
    SandboxLimits limits;
    limits.processor_time = seconds(1);
    limits.wall_time = seconds(250);
    expect_refused(
        decoder_that("loop", limits).decode(as_bytes(picture("gradient.png"))),
        ErrorKind::kDeadline,
        "more than 1 s of processor time",
        "loop"
    );
}

TEST(SandboxedDecoder, LimitsTime) {
    SandboxLimits limits;
    limits.wall_time = milliseconds(300);
    for (const std::string role : {"wait", "loop"}) {
        expect_refused(
            decoder_that(role, limits).decode(as_bytes(picture("gradient.png"))),
            ErrorKind::kDeadline,
            "takes longer than 0.3 s",
            role
        );
    }
    EXPECT_FALSE(has_children());
}

TEST(SandboxedDecoder, TellsOfACrash) {
    const std::string file = picture("gradient.png");
    const std::pair<std::string, std::string> crashes[] = {
        {"crash", "crashes its decoder (signal 11, Segmentation fault)"},
        {"abort", "crashes its decoder (signal 6, Aborted)"},
        {"answer, then crash", "crashes its decoder (signal 6, Aborted)"},
        {"exit", "it ends without an answer"},
        {"exit with a code", "it ends without an answer"},
        {"give too few pixels", "it ends without an answer"},
    };
    for (const auto& [role, words] : crashes) {
        expect_refused(decoder_that(role).decode(as_bytes(file)), ErrorKind::kCorrupt, words, role);
    }
}

TEST(SandboxedDecoder, BelievesNoLies) {
    const std::string file = picture("gradient.png");
    for (const std::string lie :
         {"claim an unknown verdict",
          "claim no width",
          "claim a negative size",
          "claim a huge picture",
          "claim a picture over the limit",
          "claim seven channels",
          "claim one channel",
          "claim that a small picture is too large",
          "give too many pixels"}) {
        expect_refused(
            decoder_that(lie).decode(as_bytes(file)),
            ErrorKind::kCorrupt,
            "answer with nonsense",
            lie
        );
    }
}

TEST(SandboxedDecoder, TellsOfAHelperThatDoesNotRun) {
    const std::string file = picture("gradient.png");
    const auto bytes = as_bytes(file);
    expect_refused(
        SandboxedDecoder("/nonexistent/tessera", {"tessera"}).decode(bytes),
        ErrorKind::kUnavailable,
        "cannot start /nonexistent/tessera",
        "no program"
    );
    expect_refused(
        decoder_that("fail to start").decode(bytes),
        ErrorKind::kInternal,
        "does not start (exit code 1)",
        "exit"
    );
    expect_refused(
        decoder_that("be another program").decode(bytes),
        ErrorKind::kInternal,
        "is another one",
        "another program"
    );
}

TEST(SandboxedDecoder, StopsWhenAsked) {
    const std::string file = picture("gradient.png");
    std::stop_source early;
    early.request_stop();
    expect_refused(
        decoder_that("serve").decode(as_bytes(file), {}, early.get_token()),
        ErrorKind::kCancelled,
        "stopped",
        "before"
    );
    std::stop_source source;
    std::atomic<bool> is_over = false;
    std::thread asker([&] {
        while (!has_children() && !is_over) {
            std::this_thread::yield();
        }
        source.request_stop();
    });
    expect_refused(
        decoder_that("wait").decode(as_bytes(file), {}, source.get_token()),
        ErrorKind::kCancelled,
        "stopped",
        "meanwhile"
    );
    is_over = true;
    asker.join();
    EXPECT_FALSE(has_children());
}

TEST(SandboxedDecoder, LeavesNeitherProcessesNorFilesBehind) {
    const std::string file = picture("gradient.png");
    const auto open_before = count_open_files();
    std::stop_source source;
    for (int round = 0; round < 100; ++round) {
        ASSERT_TRUE(decoder_that("serve").decode(as_bytes(file), {}, source.get_token()));
        ASSERT_FALSE(decoder_that("abort").decode(as_bytes(file)));
    }
    EXPECT_EQ(count_open_files(), open_before);
    EXPECT_FALSE(has_children());
}

TEST(SandboxedDecoder, ThreadsMayDecodeAtOnce) {
    const std::string file = picture("orientation_6.jpg");
    const Image expected = decode(as_bytes(file)).value();
    const auto decoder = decoder_that("serve");
    std::array<bool, 8> is_right{};
    std::vector<std::thread> threads;
    for (bool& right : is_right) {
        threads.emplace_back([&] {
            right = true;
            for (int round = 0; round < 4; ++round) {
                right = right && decoder.decode(as_bytes(file)) == expected;
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    EXPECT_THAT(is_right, ::testing::Each(true));
    EXPECT_FALSE(has_children());
}

TEST(SandboxedDecoder, WorksWhereStandardFilesAreClosed) {
    const std::string file = picture("gradient.png");
    const Image expected = decode(as_bytes(file)).value();
    const pid_t closed = ::fork();
    ASSERT_GE(closed, 0);
    if (closed == 0) {
        ::close(STDIN_FILENO);
        ::close(STDOUT_FILENO);
        ::_exit(decoder_that("serve").decode(as_bytes(file)) == expected ? 0 : 1);
    }
    int status = -1;
    ASSERT_EQ(::waitpid(closed, &status, 0), closed);
    EXPECT_EQ(status, 0);
}

TEST(SandboxedDecoder, WorksWhereChildrenAreIgnored) {
    const std::string file = picture("gradient.png");
    ::signal(SIGCHLD, SIG_IGN);
    const auto image = decoder_that("serve").decode(as_bytes(file));
    const auto crashed = decoder_that("abort").decode(as_bytes(file));
    ::signal(SIGCHLD, SIG_DFL);
    expect_same(image, decode(as_bytes(file)), "gradient.png");
    expect_refused(crashed, ErrorKind::kCorrupt, "ends without an answer", "abort");
}

TEST(SandboxedDecoder, TheHelperDiesWithItsParent) {
    // The helper becomes this process's child when its parent is gone.
    ASSERT_EQ(::prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    const pid_t parent = ::fork();
    ASSERT_GE(parent, 0);
    if (parent == 0) {
        const DecodeRequest request;
        auto helper = HelperProcess::start(
            TESSERA_SANDBOX_HELPER, {"helper", "wait"}, std::as_bytes(std::span(&request, 1)), {}
        );
        const auto patience =
            Patience::until(std::chrono::steady_clock::now() + seconds(60), std::stop_token());
        HelperGreeting greeting;
        if (helper && patience) {
            static_cast<void>(
                helper->hear(std::as_writable_bytes(std::span(&greeting, 1)), *patience)
            );
        }
        ::kill(::getpid(), SIGKILL);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(parent, &status, 0), parent);
    const pid_t helper = ::waitpid(-1, &status, 0);
    ASSERT_GT(helper, 0);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
    ::prctl(PR_SET_CHILD_SUBREAPER, 0);
}

using PictureSandbox = e2e::ProgramTest;

TEST_F(PictureSandbox, RefusesPicturesInOneSentence) {
    const std::string bomb = kPictures / "bomb.png";
    e2e::expect_complaint(run({"info", bomb}), 1, {"bomb.png", "claims 50000x50000 pixels"});
    e2e::write_text(work / "cut.png", picture("gradient.png").substr(0, 60));
    e2e::expect_complaint(
        run({"render", "a lake", "--init", "cut.png"}), 1, {"cut.png", "damaged or cut off"}
    );
}

TEST_F(PictureSandbox, IsNoCommandForPeople) {
    EXPECT_THAT(run({"--help"}).out, ::testing::Not(HasSubstr("decode-picture")));
    const std::string with_input = TESSERA_BINARY " decode-picture <" + kPictures.string();
    for (const auto& by_hand :
         {run({"decode-picture"}), run_other({"sh", "-c", with_input + "/a1111.png"})}) {
        e2e::expect_complaint(by_hand, 2, {"decode-picture is for the program's own use"});
        EXPECT_EQ(by_hand.out, "");
    }
}

TEST_F(PictureSandbox, TheDoctorLooksAtIt) {
    EXPECT_THAT(run({"doctor"}).out, HasSubstr("picture sandbox"));
}

}  // namespace
}  // namespace tessera
