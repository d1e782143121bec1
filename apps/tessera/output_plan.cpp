#include "tessera/output_plan.h"

#include "base/file.h"
#include "base/utf8.h"

#include <system_error>

namespace tessera::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostNameBytes = 48;

Result<PictureFormat> choose_format(const OutputChoice& choice, const fs::path& file) {
    std::string suffix = file.extension().string();
    if (!suffix.empty()) {
        suffix.erase(0, 1);
    }
    auto by_suffix = parse_picture_format(suffix);
    if (choice.format.empty()) {
        if (suffix.empty()) {
            return PictureFormat::kPng;
        }
        if (!by_suffix) {
            return fail(
                ErrorKind::kInvalidArgument,
                "{} does not end in .png, .jpg or .webp; change that, or say --format",
                file.string()
            );
        }
        return by_suffix;
    }
    TESSERA_ASSIGN(const auto format, parse_picture_format(choice.format));
    if (by_suffix && *by_suffix != format) {
        return fail(
            ErrorKind::kInvalidArgument,
            "{} is the name of a {} and --format says {}; change one of them",
            file.string(),
            to_string(*by_suffix),
            to_string(format)
        );
    }
    return format;
}

Status check_quality(const OutputChoice& choice, PictureFormat format) {
    if (!choice.quality) {
        return {};
    }
    if (format == PictureFormat::kPng) {
        return fail(
            ErrorKind::kInvalidArgument,
            "--quality is for JPEG and WebP; PNG keeps every pixel as it is"
        );
    }
    if (*choice.quality < 1 || *choice.quality > 100) {
        return fail(
            ErrorKind::kInvalidArgument,
            "quality {} is not possible; take 1 to 100",
            *choice.quality
        );
    }
    return {};
}

/// Finds out now what would otherwise fail after minutes of work.
Status try_folder(const fs::path& folder) {
    std::error_code error;
    if (!fs::exists(folder, error)) {
        return fail(
            ErrorKind::kNotFound,
            "the folder {} does not exist; make it first, or choose another with --out",
            folder.string()
        );
    }
    if (!fs::is_directory(folder, error)) {
        return fail(
            ErrorKind::kInvalidArgument,
            "{} is not a folder; choose another place with --out",
            folder.string()
        );
    }
    AtomicFileWriter probe;
    if (const auto opened = probe.open(folder / "tessera-probe"); !opened) {
        return fail(
            opened.error().kind,
            "the folder {} cannot be written to ({}); choose another with --out",
            folder.string(),
            opened.error().message.substr(opened.error().message.rfind(": ") + 2)
        );
    }
    return {};
}

fs::path numbered(const fs::path& path, int number) {
    fs::path name = path.stem();
    name += fmt::format("-{}", number);
    name += path.extension();
    return path.parent_path() / name;
}

/// One character's bytes by its first; the text is valid UTF-8.
std::size_t character_bytes(char first) {
    const auto lead = static_cast<unsigned char>(first);
    return lead < 0x80U ? 1 : lead < 0xE0U ? 2 : lead < 0xF0U ? 3 : 4;
}

bool is_letter_or_digit(std::string_view character) {
    const char c = character.front();
    if (character.size() == 1) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    }
    // Beyond ASCII whatever is seen will do, but for U+0080 to U+00BF, U+2000 to U+206F, U+3000 to
    // U+3003 and U+FF01 to U+FF0F: spaces, dashes, directions and punctuation.
    const auto third = static_cast<unsigned char>(character.size() > 2 ? character[2] : '\0');
    return display_width(character) > 0 && c != '\xC2' && !character.starts_with("\xE2\x80") &&
           !character.starts_with("\xE2\x81") &&
           !(character.starts_with("\xE3\x80") && third < 0x84U) &&
           !(character.starts_with("\xEF\xBC") && third < 0x90U);
}

}  // namespace

std::string picture_name(std::string_view prompt, std::uint64_t seed) {
    return fmt::format("{}-{}", name_from_prompt(prompt), seed);
}

std::string name_from_prompt(std::string_view prompt) {
    std::string name;
    bool gap = false;
    while (!prompt.empty()) {
        const auto character = prompt.substr(0, character_bytes(prompt.front()));
        prompt.remove_prefix(character.size());
        if (!is_letter_or_digit(character)) {
            gap = !name.empty();
            continue;
        }
        if (name.size() + character.size() + (gap ? 1 : 0) > kMostNameBytes) {
            // Better whole words, unless the text has no spaces.
            const auto last_gap = name.rfind('-');
            if (!gap && last_gap != std::string::npos && last_gap > kMostNameBytes / 2) {
                name.resize(last_gap);
            }
            break;
        }
        name += gap ? "-" : "";
        const char c = character.front();
        name += c >= 'A' && c <= 'Z' ? std::string(1, static_cast<char>(c + ('a' - 'A')))
                                     : std::string(character);
        gap = false;
    }
    return name.empty() ? "picture" : name;
}

Result<OutputPlan> OutputPlan::make(const OutputChoice& choice, int pictures) {
    OutputPlan plan;
    std::error_code error;
    const fs::path path(choice.path);
    const bool is_folder = path.empty() || !path.has_filename() || fs::is_directory(path, error);
    if (is_folder) {
        plan.folder_ = path.empty() ? fs::path(".") : path;
    } else {
        // What a link stands for is replaced, not the link.
        plan.file_ = fs::is_symlink(path, error) ? fs::weakly_canonical(path, error) : path;
        plan.folder_ = plan.file_.has_parent_path() ? plan.file_.parent_path() : fs::path(".");
        plan.numbered_ = pictures > 1;
        if (fs::exists(plan.file_, error) && !fs::is_regular_file(plan.file_, error)) {
            return fail(
                ErrorKind::kInvalidArgument,
                "{} is not a regular file and is not replaced; choose another with --out",
                path.string()
            );
        }
    }
    TESSERA_ASSIGN(plan.format_, choose_format(choice, plan.file_));
    TESSERA_TRY(check_quality(choice, plan.format_));
    plan.quality_ = choice.quality;
    TESSERA_TRY(try_folder(plan.folder_));
    return plan;
}

OutputPlan OutputPlan::beside() const {
    OutputPlan plan = *this;
    plan.file_.clear();
    plan.numbered_ = false;
    return plan;
}

Result<fs::path> OutputPlan::write(
    int number, std::string_view prompt, std::uint64_t seed, ByteView picture
) const {
    return write_as(number, picture_name(prompt, seed), picture);
}

Result<fs::path> OutputPlan::write_as(int number, const std::string& name, ByteView picture) const {
    fs::path path = path_for(number, name);
    TESSERA_TRY(write_to(path, picture));
    return path;
}

fs::path OutputPlan::path_for(int number, const std::string& name) const {
    if (numbered_) {
        return numbered(file_, number);
    }
    if (!file_.empty()) {
        return file_;
    }
    std::error_code error;
    const fs::path first = fmt::format("{}.{}", name, file_extension(format_));
    const fs::path place = folder_ == "." ? fs::path() : folder_;
    fs::path path = place / first;
    for (int further = 2; fs::exists(fs::symlink_status(path, error)); ++further) {
        path = place / numbered(first, further);
    }
    return path;
}

Status OutputPlan::write_to(const fs::path& path, ByteView picture) {
    if (auto written = write_file_atomically(path, picture); !written) {
        Error problem = std::move(written).error();
        if (problem.kind == ErrorKind::kExhausted) {
            problem.message += "; free some space, or choose another place with --out";
        }
        return tl::unexpected(std::move(problem));
    }
    return {};
}

}  // namespace tessera::cli
