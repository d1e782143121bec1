#include "imaging/foreign_parameters.h"

#include "base/number.h"
#include "base/utf8.h"

#include <algorithm>
#include <cmath>

namespace tessera {
namespace {

constexpr std::size_t kMostRemarks = 100;
constexpr std::size_t kMostShown = 80;

}  // namespace

Status check_complete(const ForeignParameters& parameters) {
    const auto missing = [&](std::string_view what) {
        return fail(
            ErrorKind::kInvalidArgument,
            "what {} wrote into the picture does not say the {}",
            parameters.program,
            what
        );
    };
    if (!parameters.width || !parameters.height) {
        return missing("size");
    }
    if (!parameters.steps) {
        return missing("steps");
    }
    if (parameters.sampler.empty()) {
        return missing("sampler");
    }
    if (!parameters.cfg) {
        return missing("CFG scale");
    }
    if (!parameters.seed) {
        return missing("seed");
    }
    return {};
}

int whole_schedule_steps(int steps, double denoise, bool steps_are_taken) {
    if (!steps_are_taken || !(denoise > 0.0) || denoise >= 1.0) {
        return steps;
    }
    const double whole = std::floor(steps / denoise);
    return whole < kMostForeignSteps ? std::max(steps, static_cast<int>(whole)) : kMostForeignSteps;
}

void add_not_honoured(ForeignParameters& parameters, std::string sentence) {
    auto& sentences = parameters.not_honoured;
    if (sentences.size() > kMostRemarks ||
        std::find(sentences.begin(), sentences.end(), sentence) != sentences.end()) {
        return;
    }
    sentences.push_back(
        sentences.size() < kMostRemarks ? std::move(sentence) : "and more that is not listed"
    );
}

std::string shown(std::string_view text) {
    if (!check_utf8(text)) {
        return "(not UTF-8)";
    }
    std::size_t size = std::min(text.size(), kMostShown);
    while (size > 0 && size < text.size() &&
           (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80U) {
        --size;
    }
    std::string line(text.substr(0, size));
    for (char& letter : line) {
        const auto code = static_cast<unsigned char>(letter);
        letter = code < 0x20U || code == 0x7FU ? ' ' : letter;
    }
    return size < text.size() ? line + "…" : line;
}

Result<double> parse_real(std::string_view what, std::string_view text, double least, double most) {
    const auto value = read_number<double>(text);
    if (!value || !(*value >= least && *value <= most)) {
        return fail(
            ErrorKind::kInvalidArgument,
            "the picture's metadata says \"{}: {}\", which is no number from {} to {}",
            what,
            shown(text),
            least,
            most
        );
    }
    return *value;
}

Result<int> parse_whole(std::string_view what, std::string_view text, int least, int most) {
    const auto value = read_number<int>(text);
    if (!value || *value < least || *value > most) {
        return fail(
            ErrorKind::kInvalidArgument,
            "the picture's metadata says \"{}: {}\", which is no whole number from {} to {}",
            what,
            shown(text),
            least,
            most
        );
    }
    return *value;
}

Result<std::uint64_t> parse_seed(std::string_view what, std::string_view text) {
    const auto value = read_number<std::uint64_t>(text);
    if (!value) {
        return fail(
            ErrorKind::kInvalidArgument,
            "the picture's metadata says \"{}: {}\", which is no seed (a whole number of 64 bits, "
            "not negative)",
            what,
            shown(text)
        );
    }
    return *value;
}

}  // namespace tessera
