#include "imaging/sandboxed_decoder.h"

#include "imaging/picture_decoding.h"
#include "imaging/sandbox_process.h"
#include "imaging/sandbox_protocol.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include <optional>
#include <span>
#include <utility>

namespace tessera {
namespace {

using Heard = HelperProcess::Heard;

/// What a helper has said, as far as it makes sense.
struct Reply {
    bool has_started = false;
    SandboxStrength strength = SandboxStrength::kLimitsOnly;
    std::optional<DecodeFailure> failure;
    Image image;
};

enum class Hearing : std::uint8_t { kSense, kNonsense, kEnd, kDeadline, kStopped };

Hearing hearing_of(Heard heard) {
    switch (heard) {
        case Heard::kAll:
            return Hearing::kSense;
        case Heard::kEnd:
            return Hearing::kEnd;
        case Heard::kDeadline:
            return Hearing::kDeadline;
        case Heard::kStopped:
            break;
    }
    return Hearing::kStopped;
}

template <class T>
Heard hear_value(HelperProcess& helper, const Patience& patience, T& value) {
    return helper.hear(std::as_writable_bytes(std::span(&value, 1)), patience);
}

Hearing hear_greeting(HelperProcess& helper, const Patience& patience, Reply& reply) {
    HelperGreeting greeting;
    const Heard heard = hear_value(helper, patience, greeting);
    if (heard != Heard::kAll) {
        return hearing_of(heard);
    }
    if (greeting.magic != HelperGreeting::kMagic ||
        (greeting.strength != SandboxStrength::kSeccompAndLimits &&
         greeting.strength != SandboxStrength::kLimitsOnly)) {
        return Hearing::kNonsense;
    }
    reply.has_started = true;
    reply.strength = greeting.strength;
    return Hearing::kSense;
}

/// From here on the helper may be the picture's.
Hearing hear_answer(
    HelperProcess& helper, const Patience& patience, const DecodeLimits& limits, Reply& reply
) {
    HelperAnswer answer;
    if (const Heard heard = hear_value(helper, patience, answer); heard != Heard::kAll) {
        return hearing_of(heard);
    }
    const bool is_within = is_size_within(answer.width, answer.height, limits);
    switch (answer.verdict) {
        case HelperAnswer::kDecoded: {
            if (!is_within || (answer.channels != 3 && answer.channels != 4)) {
                return Hearing::kNonsense;
            }
            reply.image = {answer.width, answer.height, answer.channels, {}};
            reply.image.pixels.resize(
                static_cast<std::size_t>(answer.width) * static_cast<std::size_t>(answer.height) *
                static_cast<std::size_t>(answer.channels)
            );
            return hearing_of(
                helper.hear(std::as_writable_bytes(std::span(reply.image.pixels)), patience)
            );
        }
        case static_cast<std::uint32_t>(DecodeFailure::Kind::kTooLarge):
            if (is_within || answer.width <= 0 || answer.height <= 0) {
                return Hearing::kNonsense;
            }
            break;
        case static_cast<std::uint32_t>(DecodeFailure::Kind::kDamaged):
        case static_cast<std::uint32_t>(DecodeFailure::Kind::kNoMemory):
            break;
        default:
            return Hearing::kNonsense;
    }
    reply.failure = {static_cast<DecodeFailure::Kind>(answer.verdict), answer.width, answer.height};
    return Hearing::kSense;
}

Hearing hear_end(HelperProcess& helper, const Patience& patience) {
    std::byte more{};
    const Heard heard = hear_value(helper, patience, more);
    if (heard == Heard::kEnd) {
        return Hearing::kSense;
    }
    return heard == Heard::kAll ? Hearing::kNonsense : hearing_of(heard);
}

Hearing hear_out(
    HelperProcess& helper, const Patience& patience, const DecodeLimits& limits, Reply& reply
) {
    Hearing hearing = hear_greeting(helper, patience, reply);
    if (hearing == Hearing::kSense) {
        hearing = hear_answer(helper, patience, limits, reply);
    }
    return hearing == Hearing::kSense ? hear_end(helper, patience) : hearing;
}

tl::unexpected<Error> out_of_memory(PictureFormat format, const SandboxLimits& limits) {
    return fail(
        ErrorKind::kExhausted,
        "decoding the {} picture takes more than {} MB of memory, the limit: make it smaller",
        to_string(format),
        limits.memory_bytes >> 20U
    );
}

std::string words_of(int signal) {
    const char* description = ::sigdescr_np(signal);
    return fmt::format("signal {}, {}", signal, description == nullptr ? "unknown" : description);
}

/// Of a helper that has ended without a whole answer.
tl::unexpected<Error> explain_end(
    const std::optional<int>& status,
    bool has_started,
    PictureFormat format,
    const SandboxLimits& limits
) {
    const bool is_killed = status && WIFSIGNALED(*status);
    const int signal = is_killed ? WTERMSIG(*status) : 0;
    if (!has_started) {
        return fail(
            ErrorKind::kInternal,
            "the process that decodes pictures does not start ({}): see tessera doctor",
            is_killed ? words_of(signal)
                      : fmt::format("exit code {}", status ? WEXITSTATUS(*status) : -1)
        );
    }
    if (status && WIFEXITED(*status) && WEXITSTATUS(*status) == kHelperOutOfMemory) {
        return out_of_memory(format, limits);
    }
    switch (signal) {
        case SIGSYS:
            return fail(
                ErrorKind::kCorrupt,
                "the {} picture made its decoder try a system call that is forbidden to it: do "
                "not trust the file",
                to_string(format)
            );
        case SIGXCPU:
            return fail(
                ErrorKind::kDeadline,
                "decoding the {} picture takes more than {} s of processor time, the limit",
                to_string(format),
                limits.processor_time.count()
            );
        case SIGKILL:
            return fail(
                ErrorKind::kExhausted,
                "the process that decoded the {} picture was killed, probably because the system "
                "is short of memory",
                to_string(format)
            );
        default:
            return fail(
                ErrorKind::kCorrupt,
                "the {} picture crashes its decoder ({}): it is damaged or hostile",
                to_string(format),
                is_killed ? words_of(signal) : "it ends without an answer"
            );
    }
}

struct HelperCommand {
    const std::filesystem::path& program;
    const std::vector<std::string>& arguments;
    const SandboxLimits& limits;
};

/// A reply that makes sense; with a failure in it or not.
Result<Reply> ask_helper(
    const HelperCommand& command,
    ByteView file,
    PictureFormat format,
    const DecodeLimits& limits,
    const std::stop_token& stop
) {
    const DecodeRequest request{limits, command.limits};
    TESSERA_ASSIGN(
        const auto patience,
        Patience::until(std::chrono::steady_clock::now() + command.limits.wall_time, stop)
    );
    TESSERA_ASSIGN(
        auto helper,
        HelperProcess::start(
            command.program, command.arguments, std::as_bytes(std::span(&request, 1)), file
        )
    );
    Reply reply;
    const Hearing hearing = hear_out(helper, patience, limits, reply);
    const auto status = helper.end();
    switch (hearing) {
        case Hearing::kSense:
            // Without a status, all that could be wrong with it has been heard.
            if (!status || *status == 0) {
                return reply;
            }
            [[fallthrough]];
        case Hearing::kEnd:
            return explain_end(status, reply.has_started, format, command.limits);
        case Hearing::kNonsense:
            if (!reply.has_started) {
                return fail(
                    ErrorKind::kInternal,
                    "the program that is to decode pictures is another one: start it anew"
                );
            }
            return fail(
                ErrorKind::kCorrupt,
                "the {} picture made its decoder answer with nonsense: do not trust the file",
                to_string(format)
            );
        case Hearing::kDeadline:
            return fail(
                ErrorKind::kDeadline,
                "decoding the {} picture takes longer than {} s, the limit",
                to_string(format),
                std::chrono::duration<double>(command.limits.wall_time).count()
            );
        case Hearing::kStopped:
            break;
    }
    return fail(ErrorKind::kCancelled, "decoding the {} picture was stopped", to_string(format));
}

}  // namespace

SandboxedDecoder::SandboxedDecoder(
    std::filesystem::path helper_program,
    std::vector<std::string> helper_arguments,
    const SandboxLimits& limits
)
    : program_(std::move(helper_program)),
      arguments_(std::move(helper_arguments)),
      limits_(limits) {}

Result<Image> SandboxedDecoder::decode(
    ByteView file, const DecodeLimits& limits, const std::stop_token& stop
) const {
    TESSERA_ASSIGN(const PictureFormat format, check_picture_file(file, limits));
    TESSERA_ASSIGN(
        Reply reply, ask_helper({program_, arguments_, limits_}, file, format, limits, stop)
    );
    if (!reply.failure) {
        return std::move(reply.image);
    }
    if (reply.failure->kind == DecodeFailure::Kind::kNoMemory) {
        return out_of_memory(format, limits_);
    }
    return tl::unexpected(describe(*reply.failure, format, limits));
}

Result<SandboxStrength> SandboxedDecoder::strength() const {
    // The beginning of a PNG: enough to be taken for one, and refused.
    TESSERA_ASSIGN(
        const Reply reply,
        ask_helper(
            {program_, arguments_, limits_},
            as_bytes("\x89PNG\r\n\x1a\n"),
            PictureFormat::kPng,
            {},
            {}
        )
    );
    return reply.strength;
}

}  // namespace tessera
