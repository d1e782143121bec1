#include "prompt/styles.h"

#include "base/file.h"
#include "base/similar_name.h"
#include "base/utf8.h"
#include "prompt/clip_tokenizer.h"
#include "prompt/prompt_text.h"

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <utility>

namespace tessera {
namespace {

constexpr std::size_t kMostBytes = std::size_t{4} << 20;
constexpr std::size_t kMostStyles = 10'000;
constexpr std::size_t kMostFields = 64;
constexpr std::string_view kPlaceholder = "{prompt}";

/// RFC 4180, as lenient as Python's csv module with skipinitialspace: signs after a closing quote
/// belong to the field, lines end with any of \n, \r\n, \r.
class CsvReader {
  public:
    explicit CsvReader(std::string_view text) : rest_(text) {}

    using Row = std::vector<std::string>;

    /// The next row that is not an empty line; nullopt at the end.
    Result<std::optional<Row>> next() {
        while (!rest_.empty()) {
            first_line_ = line_;
            Row row;
            TESSERA_TRY(read_row(row));
            if (row.size() > 1 || !row.front().empty()) {
                return row;
            }
        }
        return std::nullopt;
    }

    /// Where the last row began, counted from 1.
    [[nodiscard]] std::size_t line() const { return first_line_; }

  private:
    Status read_row(Row& row) {
        do {
            if (row.size() == kMostFields) {
                return fail(
                    ErrorKind::kCorrupt, "line {} has more than {} columns", line_, kMostFields
                );
            }
            row.emplace_back();
            TESSERA_TRY(read_field(row.back()));
        } while (take(","));
        if (take("\r\n") || take("\n") || take("\r")) {
            ++line_;
        }
        return {};
    }

    Status read_field(std::string& field) {
        while (take(" ")) {
        }
        if (take("\"")) {
            TESSERA_TRY(read_quoted(field));
        }
        const auto tail = rest_.substr(0, rest_.find_first_of(",\r\n"));
        field += tail;
        rest_.remove_prefix(tail.size());
        return {};
    }

    Status read_quoted(std::string& field) {
        const std::size_t opened = line_;
        for (;;) {
            const std::size_t quote = rest_.find('"');
            if (quote == std::string_view::npos) {
                return fail(
                    ErrorKind::kCorrupt, "line {}: the quote that begins there has no end", opened
                );
            }
            const auto part = rest_.substr(0, quote);
            line_ += static_cast<std::size_t>(std::count(part.begin(), part.end(), '\n'));
            field += part;
            rest_.remove_prefix(quote + 1);
            if (!take("\"")) {
                return {};
            }
            field += '"';
        }
    }

    bool take(std::string_view text) {
        if (!rest_.starts_with(text)) {
            return false;
        }
        rest_.remove_prefix(text.size());
        return true;
    }

    std::string_view rest_;
    std::size_t line_ = 1;
    std::size_t first_line_ = 1;
};

struct Columns {
    std::size_t name;
    std::size_t prompt;
    std::optional<std::size_t> negative_prompt;
};

Result<Columns> read_heading(const CsvReader::Row& heading, std::size_t line) {
    const auto column = [&](std::string_view title) -> std::optional<std::size_t> {
        const auto found = std::find(heading.begin(), heading.end(), title);
        if (found == heading.end()) {
            return std::nullopt;
        }
        return static_cast<std::size_t>(found - heading.begin());
    };
    const auto name = column("name");
    const auto prompt = column("prompt") ? column("prompt") : column("text");
    if (!name || !prompt) {
        return fail(
            ErrorKind::kCorrupt,
            "line {} is not the heading of a styles file, such as name,prompt,negative_prompt",
            line
        );
    }
    return Columns{*name, *prompt, column("negative_prompt")};
}

std::string take_field(CsvReader::Row& row, std::optional<std::size_t> column) {
    return column && *column < row.size() ? std::move(row[*column]) : std::string();
}

}  // namespace

Result<std::vector<PromptStyle>> parse_styles(std::string_view csv) {
    if (csv.size() > kMostBytes) {
        return fail(
            ErrorKind::kExhausted, "a styles file may have {} MiB at most", kMostBytes >> 20
        );
    }
    csv.remove_prefix(csv.starts_with("\xEF\xBB\xBF") ? 3 : 0);
    if (auto valid = check_utf8(csv); !valid) {
        return fail(ErrorKind::kCorrupt, "{}", valid.error().message);
    }
    CsvReader reader(csv);
    TESSERA_ASSIGN(const auto heading, reader.next());
    if (!heading) {
        return std::vector<PromptStyle>();
    }
    TESSERA_ASSIGN(const auto columns, read_heading(*heading, reader.line()));
    std::vector<PromptStyle> styles;
    std::unordered_map<std::string, std::size_t> known;
    for (;;) {
        TESSERA_ASSIGN(auto row, reader.next());
        if (!row) {
            return styles;
        }
        PromptStyle style;
        style.name = take_field(*row, columns.name);
        style.prompt = take_field(*row, columns.prompt);
        style.negative_prompt = take_field(*row, columns.negative_prompt);
        if (style.name.empty() || style.name.starts_with('#')) {
            continue;
        }
        const auto [place, is_new] = known.emplace(style.name, styles.size());
        if (!is_new) {
            styles[place->second] = std::move(style);
            continue;
        }
        if (styles.size() == kMostStyles) {
            return fail(ErrorKind::kExhausted, "there are more than {} styles", kMostStyles);
        }
        styles.push_back(std::move(style));
    }
}

Result<std::vector<PromptStyle>> read_styles(const std::filesystem::path& path) {
    TESSERA_ASSIGN(const auto text, read_file(path, kMostBytes));
    auto styles = parse_styles(text);
    if (!styles) {
        return within(path.string(), std::move(styles).error());
    }
    return styles;
}

Result<PromptStyle> find_style(std::span<const PromptStyle> styles, std::string_view name) {
    constexpr std::size_t kMostListed = 12;
    const auto found = std::find_if(styles.begin(), styles.end(), [&](const PromptStyle& style) {
        return style.name == name;
    });
    if (found != styles.end()) {
        return *found;
    }
    std::vector<std::string_view> names;
    for (const PromptStyle& style : styles) {
        names.push_back(style.name);
    }
    const auto near = most_similar(name, names);
    std::string hint;
    if (!near.empty()) {
        hint = "; the nearest name is " + quoted_text(near);
    } else if (names.empty()) {
        hint = "; there are none";
    } else if (names.size() <= kMostListed) {
        for (const std::string_view known : names) {
            hint += (hint.empty() ? "; there are " : ", ") + quoted_text(known);
        }
    }
    return fail(ErrorKind::kNotFound, "there is no style {}{}", quoted_text(name), hint);
}

Result<std::string> apply_style(std::string_view style, std::string_view prompt) {
    std::string joined;
    std::size_t begin = 0;
    for (std::size_t at = style.find(kPlaceholder); at != std::string_view::npos;
         at = style.find(kPlaceholder, begin)) {
        joined += style.substr(begin, at - begin);
        joined += prompt;
        begin = at + kPlaceholder.size();
        if (joined.size() > ClipTokenizer::kMaxPromptBytes) {
            break;
        }
    }
    if (begin > 0) {
        joined += style.substr(begin);
    } else {
        const auto own = trimmed(prompt);
        const auto added = trimmed(style);
        joined = fmt::format("{}{}{}", own, own.empty() || added.empty() ? "" : ", ", added);
    }
    if (joined.size() > ClipTokenizer::kMaxPromptBytes) {
        return fail(
            ErrorKind::kInvalidArgument,
            "with its styles the prompt is longer than {} bytes; leave one out",
            ClipTokenizer::kMaxPromptBytes
        );
    }
    return joined;
}

}  // namespace tessera
