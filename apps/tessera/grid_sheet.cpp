#include "tessera/grid_sheet.h"

#include "imaging/codec.h"
#include "imaging/contact_sheet.h"
#include "imaging/infotext.h"
#include "tessera/grid_axes.h"
#include "tessera/picture_file.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace tessera::cli {
namespace {

/// The render of one cell, or why there is none.
struct Cell {
    std::optional<Image> picture;
    std::string problem;
};

class GridRender {
  public:
    GridRender(
        const GridRequest& request,
        RenderSession& session,
        PictureReport& report,
        Progress& progress
    )
        : request_(request), session_(session), report_(report), progress_(progress) {}

    Status run(const std::stop_token& stop);

  private:
    Status render_cell(const GridCell& place);
    [[nodiscard]] RenderSettings settings_of(const GridCell& place) const;
    Status write_sheet(std::size_t sheet);
    [[nodiscard]] Result<PictureMetadata> sheet_metadata() const;
    [[nodiscard]] std::string legend() const;
    Cell& cell(const GridCell& place) {
        return cells_[(place[2] * grid_->rows() + place[1]) * grid_->columns() + place[0]];
    }

    const GridRequest& request_;
    RenderSession& session_;
    PictureReport& report_;
    Progress& progress_;
    RenderSettings settings_;
    std::optional<Grid> grid_;
    OutputPlan output_;
    OutputPlan cell_output_;
    std::vector<Cell> cells_;
    /// Of the first cell that was rendered.
    std::optional<Recipe> recipe_;
    std::size_t done_ = 0;
    std::size_t failures_ = 0;
    std::optional<Error> first_failure_;
};

Status GridRender::run(const std::stop_token& stop) {
    TESSERA_ASSIGN(grid_, Grid::parse(request_.axes));
    TESSERA_ASSIGN(output_, OutputPlan::make(request_.output, static_cast<int>(grid_->sheets())));
    cell_output_ = output_.beside();
    settings_ = request_.settings;
    TESSERA_ASSIGN(const auto seed, parse_seed_option("--seed", settings_.seed));
    settings_.seed = std::to_string(seed);
    cells_.resize(grid_->columns() * grid_->rows() * grid_->sheets());
    for (const GridCell& place : grid_->cells()) {
        const Status rendered = render_cell(place);
        if (rendered) {
            continue;
        }
        if (stop.stop_requested() || rendered.error().kind == ErrorKind::kCancelled) {
            return rendered;
        }
        ++failures_;
        progress_.say("failed: " + rendered.error().message);
        cell(place).problem = rendered.error().message;
        if (!first_failure_) {
            first_failure_ = rendered.error();
        }
    }
    if (failures_ == cells_.size()) {
        return tl::unexpected(*first_failure_);
    }
    for (std::size_t sheet = 0; sheet < grid_->sheets(); ++sheet) {
        TESSERA_TRY(write_sheet(sheet));
    }
    if (first_failure_) {
        return fail(
            first_failure_->kind,
            "{} of {} cells failed, the first: {}",
            failures_,
            cells_.size(),
            first_failure_->message
        );
    }
    return {};
}

RenderSettings GridRender::settings_of(const GridCell& place) const {
    RenderSettings settings = settings_;
    for (std::size_t i = 0; i < grid_->axes().size(); ++i) {
        const GridAxis& axis = grid_->axes()[i];
        const std::string& value = axis.values[place[i]];
        if (axis.option) {
            change(settings, *axis.option, value);
        } else {
            const std::string& wanted = axis.values.front();
            settings.prompt = replace_all(settings.prompt, wanted, value);
            settings.negative_prompt = replace_all(settings.negative_prompt, wanted, value);
        }
    }
    return settings;
}

Status GridRender::render_cell(const GridCell& place) {
    const RenderSettings settings = settings_of(place);
    progress_.begin_picture(++done_, cells_.size(), settings.prompt);
    TESSERA_ASSIGN(const auto recipe, session_.plan(settings));
    FinishedPicture picture{{}, recipe, {}};
    TESSERA_ASSIGN(Image image, session_.paint(recipe, picture.seconds));
    if (request_.keep_cells) {
        TESSERA_TRY(write_picture(image, cell_output_, 1, picture));
        report_.add(picture);
    }
    cell(place).picture = std::move(image);
    if (!recipe_) {
        recipe_ = recipe;
    }
    return {};
}

/// What all cells share, for people.
std::string GridRender::legend() const {
    const auto varies = [&](PictureOption option) {
        return std::any_of(grid_->axes().begin(), grid_->axes().end(), [&](const GridAxis& axis) {
            return axis.option == option;
        });
    };
    const std::array<std::pair<PictureOption, std::string>, 5> facts{{
        {PictureOption::kModel, recipe_->model},
        {PictureOption::kSampler, recipe_->sampler},
        {PictureOption::kSteps, fmt::format("{} steps", recipe_->steps)},
        {PictureOption::kCfg, fmt::format("guidance {}", recipe_->guidance.scale)},
        {PictureOption::kSeed, fmt::format("seed {}", recipe_->seed.seed)},
    }};
    std::string shared;
    for (const auto& [option, fact] : facts) {
        if (!varies(option)) {
            shared += (shared.empty() ? "" : ", ") + fact;
        }
    }
    return varies(PictureOption::kPrompt) ? shared : settings_.prompt + "\n" + shared;
}

/// The first cell's parameters and the axes, as A1111 marks its X/Y/Z plots.
Result<PictureMetadata> GridRender::sheet_metadata() const {
    TESSERA_ASSIGN(const auto first, picture_metadata(*recipe_));
    Infotext text = parse_infotext(first.parameters);
    text.parameters.emplace_back("Script", "X/Y/Z plot");
    constexpr const char* kLetters = "XYZ";
    for (std::size_t i = 0; i < grid_->axes().size(); ++i) {
        const GridAxis& axis = grid_->axes()[i];
        std::string values;
        for (const std::string& value : axis.values) {
            values += (values.empty() ? "" : ", ") + value;
        }
        text.parameters.emplace_back(fmt::format("{} Type", kLetters[i]), axis.name);
        text.parameters.emplace_back(fmt::format("{} Values", kLetters[i]), values);
    }
    TESSERA_ASSIGN(auto parameters, write_infotext(text));
    return PictureMetadata{std::move(parameters), ""};
}

Status GridRender::write_sheet(std::size_t sheet) {
    const auto labels = [&](std::size_t axis) {
        return axis < grid_->axes().size() ? grid_->axes()[axis].labels
                                           : std::vector<std::string>{""};
    };
    ContactSheet drawing;
    drawing.columns = labels(0);
    drawing.rows = labels(1);
    drawing.title = labels(2)[sheet];
    drawing.legend = legend();
    for (std::size_t row = 0; row < grid_->rows(); ++row) {
        for (std::size_t column = 0; column < grid_->columns(); ++column) {
            const Cell& rendered = cell({column, row, sheet});
            drawing.cells.push_back(
                {rendered.picture ? &*rendered.picture : nullptr, rendered.problem}
            );
        }
    }
    progress_.phase("drawing the sheet");
    TESSERA_ASSIGN(const Image image, draw_contact_sheet(drawing));
    TESSERA_ASSIGN(const auto metadata, sheet_metadata());
    EncodeOptions options;
    options.quality = output_.quality().value_or(options.quality);
    TESSERA_ASSIGN(const auto file, encode(image, output_.format(), options, metadata));
    TESSERA_ASSIGN(
        const auto path,
        output_.write_as(
            static_cast<int>(sheet) + 1, name_from_prompt(settings_.prompt) + "-grid", file
        )
    );
    report_.add_sheet(path, drawing.cells.size());
    return {};
}

}  // namespace

Status render_grid(
    const GridRequest& request,
    RenderSession& session,
    PictureReport& report,
    Progress& progress,
    const std::stop_token& stop
) {
    return GridRender(request, session, report, progress).run(stop);
}

}  // namespace tessera::cli
