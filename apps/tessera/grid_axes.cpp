#include "tessera/grid_axes.h"

#include "base/similar_name.h"
#include "base/utf8.h"
#include "tessera/value_list.h"

#include <algorithm>
#include <numeric>

namespace tessera::cli {
namespace {

constexpr std::string_view kSearchReplace = "sr";

/// A1111's labels and other words for an axis, as normalised() leaves them.
struct Alias {
    std::string_view alias;
    std::string_view name;
};
constexpr std::array<Alias, 17> kAliases{{
    {"promptsr", kSearchReplace},
    {"searchreplace", kSearchReplace},
    {"negativeprompt", "negative"},
    {"styles", "style"},
    {"checkpoint", "model"},
    {"checkpointname", "model"},
    {"cfgscale", "cfg"},
    {"scheduletype", "schedule"},
    {"scheduler", "schedule"},
    {"varseed", "variation-seed"},
    {"varstrength", "variation-strength"},
    {"variation", "variation-strength"},
    {"sigmanoise", "s-noise"},
    {"denoising", "strength"},
    {"denoisingstrength", "strength"},
    {"rngsource", "rng"},
    {"hiresupscaler", "upscaler"},
}};

std::string normalised(std::string_view name) {
    std::string out;
    for (const char letter : name) {
        if (letter >= 'A' && letter <= 'Z') {
            out += static_cast<char>(letter + ('a' - 'A'));
        } else if (std::string_view(" ._-/").find(letter) == std::string_view::npos) {
            out += letter;
        }
    }
    return out;
}

Result<std::string_view> find_axis(std::string_view text) {
    const std::string wanted = normalised(text);
    const auto names = grid_axis_names();
    for (const std::string_view name : names) {
        if (normalised(name) == wanted) {
            return name;
        }
    }
    for (const Alias& alias : kAliases) {
        if (alias.alias == wanted) {
            return alias.name;
        }
    }
    const std::string_view near = most_similar(wanted, names);
    if (!near.empty()) {
        return fail(
            ErrorKind::kNotFound,
            "no axis of a grid is called \"{}\"; did you mean {}?",
            text.substr(0, 64),
            near
        );
    }
    std::string known;
    for (const std::string_view name : names) {
        known += fmt::format("{}{}", known.empty() ? "" : ", ", name);
    }
    return fail(
        ErrorKind::kNotFound,
        "no axis of a grid is called \"{}\"; there are {}",
        text.substr(0, 64),
        known
    );
}

/// Values that say by themselves what they are need no name in front.
std::string label_of(const GridAxis& axis, const std::string& value) {
    if (!axis.option) {
        return value;
    }
    switch (*axis.option) {
        case PictureOption::kModel: {
            const auto slash = value.find_last_of('/', value.empty() ? 0 : value.size() - 2);
            return slash == std::string::npos ? value : value.substr(slash + 1);
        }
        case PictureOption::kPrompt:
        case PictureOption::kNegative:
        case PictureOption::kStyle:
        case PictureOption::kSampler:
        case PictureOption::kSchedule:
        case PictureOption::kUpscaler:
            return value;
        default:
            return fmt::format("{} {}", axis.name, value);
    }
}

OptionKind kind_of(const GridAxis& axis) {
    return axis.option ? info(*axis.option).kind : OptionKind::kText;
}

Status add_value(GridAxis& axis, const std::string& value) {
    if (axis.values.size() == Grid::kMostCells) {
        return fail(
            ErrorKind::kExhausted,
            "the grid's axis {} has more than {} values, the most there may be",
            axis.name,
            Grid::kMostCells
        );
    }
    if (!axis.option) {
        axis.values.push_back(value);
        return {};
    }
    auto checked = check_value(*axis.option, value);
    if (!checked) {
        return within("--grid", std::move(checked).error());
    }
    axis.values.push_back(*std::move(checked));
    return {};
}

Result<GridAxis> parse_axis(std::string_view text) {
    const auto equals = text.find('=');
    if (equals == std::string_view::npos || !check_utf8(text)) {
        return fail(
            ErrorKind::kInvalidArgument,
            "--grid {} is no axis; write AXIS=VALUES, as cfg=3,5,7",
            check_utf8(text) ? text.substr(0, 64) : "(not UTF-8)"
        );
    }
    GridAxis axis;
    TESSERA_ASSIGN(const std::string_view name, find_axis(text.substr(0, equals)));
    axis.name = name;
    for (const PictureOptionInfo& option : picture_options()) {
        if (option.name == name) {
            axis.option = option.option;
        }
    }
    auto values = split_values(text.substr(equals + 1));
    if (!values) {
        return within(fmt::format("--grid {}", axis.name), std::move(values).error());
    }
    const OptionKind kind = kind_of(axis);
    const bool whole = kind == OptionKind::kWhole || kind == OptionKind::kSeed;
    for (const std::string& value : *values) {
        if (!whole && kind != OptionKind::kReal) {
            TESSERA_TRY(add_value(axis, value));
            continue;
        }
        auto range = expand_range(value, whole, Grid::kMostCells);
        if (!range) {
            return within(fmt::format("--grid {}", axis.name), std::move(range).error());
        }
        for (const std::string& number : *range) {
            TESSERA_TRY(add_value(axis, number));
        }
    }
    if (!axis.option && (axis.values.size() < 2 || axis.values.front().empty())) {
        return fail(
            ErrorKind::kInvalidArgument,
            "--grid sr needs what is searched for and what takes its place: sr=cat,dog"
        );
    }
    for (const std::string& value : axis.values) {
        axis.labels.push_back(label_of(axis, value));
    }
    return axis;
}

}  // namespace

ChangeCost GridAxis::cost() const {
    return option ? info(*option).cost : ChangeCost::kConditioning;
}

Result<Grid> Grid::parse(std::span<const std::string> texts) {
    Grid grid;
    if (texts.empty() || texts.size() > kMostAxes) {
        return fail(
            ErrorKind::kInvalidArgument,
            "a grid has one to {} axes, and here are {}",
            kMostAxes,
            texts.size()
        );
    }
    std::size_t cells = 1;
    for (const std::string& text : texts) {
        TESSERA_ASSIGN(auto axis, parse_axis(text));
        const bool twice =
            axis.option &&
            std::any_of(grid.axes_.begin(), grid.axes_.end(), [&](const auto& other) {
                return other.option == axis.option;
            });
        if (twice) {
            return fail(
                ErrorKind::kInvalidArgument,
                "--grid has the axis {} twice; put all its values into one",
                axis.name
            );
        }
        cells *= axis.values.size();
        grid.axes_.push_back(std::move(axis));
    }
    if (cells > kMostCells) {
        return fail(
            ErrorKind::kExhausted,
            "the grid has {} cells, and {} is the most there may be; take fewer values",
            cells,
            kMostCells
        );
    }
    return grid;
}

std::vector<GridCell> Grid::cells() const {
    std::vector<std::size_t> slowest_first(axes_.size());
    std::iota(slowest_first.rbegin(), slowest_first.rend(), std::size_t{0});
    std::stable_sort(
        slowest_first.begin(),
        slowest_first.end(),
        [&](std::size_t left, std::size_t right) {
            return axes_[left].cost() > axes_[right].cost();
        }
    );
    std::vector<GridCell> cells;
    GridCell cell{};
    const std::size_t count = columns() * rows() * sheets();
    for (std::size_t number = 0; number < count; ++number) {
        std::size_t rest = number;
        for (auto axis = slowest_first.rbegin(); axis != slowest_first.rend(); ++axis) {
            cell[*axis] = rest % extent(*axis);
            rest /= extent(*axis);
        }
        cells.push_back(cell);
    }
    return cells;
}

std::vector<std::string_view> grid_axis_names() {
    std::vector<std::string_view> names{kSearchReplace};
    for (const PictureOptionInfo& option : picture_options()) {
        names.push_back(option.name);
    }
    return names;
}

std::string replace_all(std::string_view text, std::string_view from, std::string_view to) {
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        if (!from.empty() && text.substr(at).starts_with(from)) {
            out += to;
            at += from.size();
        } else {
            out += text[at++];
        }
    }
    return out;
}

}  // namespace tessera::cli
