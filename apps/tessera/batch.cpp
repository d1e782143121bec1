#include "tessera/batch.h"

#include "tessera/batch_journal.h"
#include "tessera/picture_file.h"
#include "tessera/prompt_file.h"
#include "tessera/stop_watch.h"

#include <numeric>
#include <optional>
#include <utility>

namespace tessera::cli {
namespace {

/// All that decides how pictures look and does not stand in their lines.
std::string common_options(
    const RenderSettings& settings, Recipe recipe, const OutputPlan& output
) {
    // A random seed counts as what was asked for, not as it was drawn.
    recipe.seed.seed = 0;
    recipe.seed.variation_seed = 0;
    return fmt::format(
        "{} seed {} variation {} format {} quality {}",
        to_json(recipe),
        settings.seed,
        settings.variation_seed,
        static_cast<int>(output.format()),
        output.quality().value_or(-1)
    );
}

class Batch {
  public:
    Batch(
        const BatchRequest& request,
        RenderSession& session,
        PictureReport& report,
        Progress& progress
    )
        : request_(request), session_(session), report_(report), progress_(progress) {}

    Status run(const std::stop_token& stop);

  private:
    Status render_line(const PromptLine& line, const std::string& key);
    Status render_picture(
        const RenderSettings& settings, const Recipe& first, int number, const std::string& key
    );
    int count_of(const PromptLine& line) const { return line.count.value_or(request_.count); }
    void note_failure(std::size_t line, Error error);
    Status end();

    const BatchRequest& request_;
    RenderSession& session_;
    PictureReport& report_;
    Progress& progress_;
    PromptFile file_;
    OutputPlan output_;
    std::optional<BatchJournal> journal_;
    int pictures_ = 0;
    int number_ = 0;  ///< of the picture at hand, among all
    int skipped_ = 0;
    std::size_t failures_ = 0;
    std::optional<Error> first_failure_;
};

Status Batch::run(const std::stop_token& stop) {
    TESSERA_ASSIGN(const auto text, read_prompts(request_.prompts));
    TESSERA_ASSIGN(file_, parse_prompts(text));
    for (const auto& [line, problem] : file_.bad_lines) {
        note_failure(line, {ErrorKind::kInvalidArgument, problem});
    }
    pictures_ = std::accumulate(
        file_.lines.begin(),
        file_.lines.end(),
        0,
        [&](int sum, const PromptLine& line) { return sum + count_of(line); }
    );
    if (pictures_ == 0) {
        return failures_ > 0 ? end()
                             : fail(
                                   ErrorKind::kInvalidArgument,
                                   "{} has no prompts; write one on each line",
                                   request_.prompts == "-" ? "stdin" : request_.prompts
                               );
    }
    TESSERA_ASSIGN(output_, OutputPlan::make(request_.output, pictures_));
    TESSERA_ASSIGN(auto journal, BatchJournal::open(output_.folder()));
    journal_.emplace(std::move(journal));
    for (const std::string& warning : journal_->warnings()) {
        progress_.say("note: " + warning);
    }
    TESSERA_ASSIGN(const auto common, session_.plan(request_.settings));
    BatchKeys keys(common_options(request_.settings, common, output_));
    for (const PromptLine& line : file_.lines) {
        const Status rendered = render_line(line, keys.line(line.text));
        if (!rendered) {
            const ErrorKind kind = rendered.error().kind;
            if (stop.stop_requested() || kind == ErrorKind::kCancelled ||
                kind == ErrorKind::kExhausted) {
                return rendered;
            }
            note_failure(line.number, rendered.error());
        }
    }
    return end();
}

Status Batch::render_line(const PromptLine& line, const std::string& key) {
    RenderSettings settings = request_.settings;
    for (const auto& [option, value] : line.changes) {
        change(settings, option, value);
    }
    const int first_number = number_;
    number_ += count_of(line);
    std::optional<Recipe> recipe;
    for (int i = 1; i <= count_of(line); ++i) {
        const std::string picture_key = BatchKeys::picture(key, i);
        if (journal_->find(picture_key)) {
            ++skipped_;
            continue;
        }
        if (!recipe) {
            TESSERA_ASSIGN(recipe, session_.plan(settings));
        }
        TESSERA_TRY(render_picture(settings, nth_of(*recipe, i), first_number + i, picture_key));
    }
    return {};
}

Status Batch::render_picture(
    const RenderSettings& settings, const Recipe& recipe, int number, const std::string& key
) {
    progress_.begin_picture(
        static_cast<std::size_t>(number), static_cast<std::size_t>(pictures_), settings.prompt
    );
    FinishedPicture picture{{}, recipe, {}};
    TESSERA_ASSIGN(const Image image, session_.paint(recipe, picture.seconds));
    StopWatch watch;
    TESSERA_ASSIGN(const auto bytes, encode_picture(image, recipe, output_));
    picture.path = output_.path_for(number, picture_name(recipe.prompt, recipe.seed.seed));
    TESSERA_TRY(journal_->promise(key, picture.path, bytes));
    if (auto written = OutputPlan::write_to(picture.path, bytes); !written) {
        TESSERA_TRY(journal_->withdraw(key));
        return written;
    }
    picture.seconds.writing = watch.lap();
    report_.add(picture);
    return {};
}

void Batch::note_failure(std::size_t line, Error error) {
    error.message = fmt::format("line {}: {}", line, error.message);
    progress_.say("failed: " + error.message);
    ++failures_;
    if (!first_failure_) {
        first_failure_ = std::move(error);
    }
}

Status Batch::end() {
    if (skipped_ > 0) {
        progress_.say(fmt::format("note: {} pictures were there already", skipped_));
    }
    if (first_failure_) {
        return fail(
            first_failure_->kind,
            "{} of {} lines failed, the first: {}",
            failures_,
            file_.lines.size() + file_.bad_lines.size(),
            first_failure_->message
        );
    }
    return journal_->complete();
}

}  // namespace

Status render_batch(
    const BatchRequest& request,
    RenderSession& session,
    PictureReport& report,
    Progress& progress,
    const std::stop_token& stop
) {
    return Batch(request, session, report, progress).run(stop);
}

}  // namespace tessera::cli
