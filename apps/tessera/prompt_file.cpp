#include "tessera/prompt_file.h"

#include "base/file.h"
#include "base/number.h"
#include "base/similar_name.h"
#include "base/utf8.h"
#include "tessera/shell_words.h"

#include <algorithm>
#include <array>

namespace tessera::cli {
namespace {

/// A1111's name of an option that has another name here.
struct Translation {
    std::string_view a1111;
    PictureOption option;
};
constexpr std::array<Translation, 8> kTranslations{{
    {"sd_model", PictureOption::kModel},
    {"negative_prompt", PictureOption::kNegative},
    {"styles", PictureOption::kStyle},
    {"sampler_name", PictureOption::kSampler},
    {"scheduler", PictureOption::kSchedule},
    {"cfg_scale", PictureOption::kCfg},
    {"subseed", PictureOption::kVariationSeed},
    {"subseed_strength", PictureOption::kVariationStrength},
}};

/// Of A1111: about files and grids there, which render decides by itself.
constexpr std::array<std::string_view, 5> kPassedOver{
    "outpath_samples",
    "outpath_grids",
    "prompt_for_display",
    "do_not_save_samples",
    "do_not_save_grid"};

/// Of A1111: nothing here corresponds, unless they are off.
constexpr std::array<std::string_view, 2> kNotPossible{"restore_faces", "tiling"};

template <class List>
bool has(const List& list, std::string_view name) {
    return std::find(list.begin(), list.end(), name) != list.end();
}

std::string_view trim(std::string_view text) {
    constexpr std::string_view kSpace = " \t\r\f\v";
    const auto first = text.find_first_not_of(kSpace);
    return first == std::string_view::npos
               ? std::string_view()
               : text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

std::optional<PictureOption> find_option(std::string_view name) {
    for (const Translation& translation : kTranslations) {
        if (translation.a1111 == name) {
            return translation.option;
        }
    }
    for (const PictureOptionInfo& option : picture_options()) {
        if (option.name == name) {
            return option.option;
        }
    }
    return std::nullopt;
}

tl::unexpected<Error> unknown_option(std::string_view name) {
    std::vector<std::string_view> names{"width", "height", "n_iter", "batch_size", "count"};
    for (const PictureOptionInfo& option : picture_options()) {
        names.push_back(option.name);
    }
    for (const Translation& translation : kTranslations) {
        names.push_back(translation.a1111);
    }
    const std::string_view near = most_similar(name, names);
    return fail(
        ErrorKind::kNotFound,
        "there is no option --{}{}",
        name.substr(0, 64),
        near.empty() ? "" : fmt::format("; did you mean --{}?", near)
    );
}

Result<int> parse_count(std::string_view name, std::string_view text, int most) {
    const auto value = read_number<int>(text);
    if (!value || *value < 1 || *value > most) {
        return fail(
            ErrorKind::kInvalidArgument,
            "--{} {} is not possible; take 1 to {}",
            name,
            text.substr(0, 64),
            most
        );
    }
    return *value;
}

/// Takes a line's options one by one.
class LineReader {
  public:
    explicit LineReader(PromptLine& line) : line_(line) {}

    Status read(const std::vector<std::string>& words) {
        for (std::size_t at = 0; at < words.size();) {
            const std::string_view word = words[at];
            if (!word.starts_with("--") || word.size() < 3) {
                return fail(
                    ErrorKind::kInvalidArgument,
                    "\"{}\" is no option; put quotes around a value with spaces",
                    word.substr(0, 64)
                );
            }
            if (++at == words.size()) {
                return fail(ErrorKind::kInvalidArgument, "{} has no value", word.substr(0, 64));
            }
            const std::string_view name = word.substr(2);
            std::string value = words[at++];
            const auto option = find_option(name);
            const bool takes_more =
                option == PictureOption::kPrompt || option == PictureOption::kNegative;
            // As in A1111 a prompt may go on without quotes up to the next option.
            while (takes_more && at < words.size() && !words[at].starts_with("--")) {
                value += " " + words[at++];
            }
            TESSERA_TRY(option ? set(*option, value) : set_other(name, value));
        }
        return finish();
    }

  private:
    Status set(PictureOption option, std::string_view value) {
        TESSERA_ASSIGN(auto checked, check_value(option, value));
        auto& changes = line_.changes;
        const auto found = std::find_if(changes.begin(), changes.end(), [&](const auto& change) {
            return change.first == option;
        });
        if (found != changes.end()) {
            return fail(ErrorKind::kInvalidArgument, "--{} is there twice", info(option).name);
        }
        changes.emplace_back(option, std::move(checked));
        return {};
    }

    Status set_other(std::string_view name, std::string_view value) {
        constexpr int kMostSide = 65536;
        struct Number {
            std::string_view name;
            std::optional<int>& value;
            int most;
        };
        const std::array<Number, 7> numbers{{
            {"width", width_, kMostSide},
            {"height", height_, kMostSide},
            {"seed_resize_from_w", resize_width_, kMostSide},
            {"seed_resize_from_h", resize_height_, kMostSide},
            {"n_iter", iterations_, kMostPictures},
            {"count", iterations_, kMostPictures},
            {"batch_size", batch_, kMostPictures},
        }};
        for (const Number& number : numbers) {
            if (number.name == name) {
                TESSERA_ASSIGN(number.value, parse_count(name, value, number.most));
                return {};
            }
        }
        if (has(kPassedOver, name)) {
            return {};
        }
        if (has(kNotPossible, name)) {
            return value == "true" ? Status(fail(
                                         ErrorKind::kUnsupported,
                                         "--{} is A1111's and not possible here; leave it out",
                                         name
                                     ))
                                   : Status();
        }
        return unknown_option(name);
    }

    Status set_size(
        PictureOption option,
        std::optional<int> width,
        std::optional<int> height,
        std::string_view names
    ) {
        if (!width && !height) {
            return {};
        }
        if (!width || !height) {
            return fail(ErrorKind::kInvalidArgument, "{} go together; give both or neither", names);
        }
        return set(option, fmt::format("{}x{}", *width, *height));
    }

    Status finish() {
        TESSERA_TRY(set_size(PictureOption::kSize, width_, height_, "--width and --height"));
        TESSERA_TRY(set_size(
            PictureOption::kSeedResize,
            resize_width_,
            resize_height_,
            "--seed_resize_from_w and --seed_resize_from_h"
        ));
        if (iterations_ || batch_) {
            const int count = iterations_.value_or(1) * batch_.value_or(1);
            if (count > kMostPictures) {
                return fail(
                    ErrorKind::kInvalidArgument,
                    "{} pictures of one line are not possible; take 1 to {}",
                    count,
                    kMostPictures
                );
            }
            line_.count = count;
        }
        const bool has_prompt =
            std::any_of(line_.changes.begin(), line_.changes.end(), [](const auto& change) {
                return change.first == PictureOption::kPrompt;
            });
        return has_prompt ? Status() : set(PictureOption::kPrompt, "");
    }

    PromptLine& line_;
    std::optional<int> width_;
    std::optional<int> height_;
    std::optional<int> resize_width_;
    std::optional<int> resize_height_;
    std::optional<int> iterations_;
    std::optional<int> batch_;
};

Result<PromptLine> parse_line(std::string_view text, std::size_t number) {
    if (text.size() > kMostPromptLineBytes) {
        return fail(
            ErrorKind::kExhausted,
            "it is {} bytes long, and {} is the most a line may have",
            text.size(),
            kMostPromptLineBytes
        );
    }
    TESSERA_TRY(check_utf8(text));
    if (text.find('\0') != std::string_view::npos) {
        return fail(ErrorKind::kInvalidArgument, "it holds a NUL character");
    }
    PromptLine line;
    line.number = number;
    line.text = text;
    if (!text.starts_with("--")) {
        line.changes.emplace_back(PictureOption::kPrompt, text);
        return line;
    }
    TESSERA_ASSIGN(const auto words, split_words(text));
    TESSERA_TRY(LineReader(line).read(words));
    return line;
}

}  // namespace

Result<std::string> read_prompts(const std::string& path) {
    if (path == "-") {
        auto content = read_file("/dev/stdin", kMostPromptFileBytes);
        if (!content) {
            return within("standard input", std::move(content).error());
        }
        return content;
    }
    return read_file(path, kMostPromptFileBytes);
}

Result<PromptFile> parse_prompts(std::string_view content) {
    constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
    if (content.starts_with(kByteOrderMark)) {
        content.remove_prefix(kByteOrderMark.size());
    }
    PromptFile file;
    std::size_t number = 0;
    while (!content.empty()) {
        const auto end = std::min(content.find('\n'), content.size());
        const std::string_view text = trim(content.substr(0, end));
        content.remove_prefix(std::min(end + 1, content.size()));
        ++number;
        if (text.empty() || text.front() == '#') {
            continue;
        }
        if (file.lines.size() + file.bad_lines.size() == kMostPromptLines) {
            return fail(
                ErrorKind::kExhausted,
                "there are more than {} prompts; split them into several files",
                kMostPromptLines
            );
        }
        if (auto line = parse_line(text, number)) {
            file.lines.push_back(*std::move(line));
        } else {
            file.bad_lines.push_back({number, std::move(line).error().message});
        }
    }
    return file;
}

}  // namespace tessera::cli
