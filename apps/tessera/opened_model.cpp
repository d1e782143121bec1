#include "tessera/opened_model.h"

#include "tessera/model_hash.h"

#include <chrono>
#include <future>

namespace tessera::cli {

Result<OpenedModel> open_model(
    const Locations& locations,
    const std::filesystem::path& folder,
    const EngineChoice& choice,
    Progress& progress
) {
    progress.phase("reading the model");
    EngineOptions options;
    options.threads = choice.threads;
    if (choice.cache) {
        options.cache_folder = locations.engines();
    }
    options.warn = [&progress](const std::string& sentence) { progress.say("note: " + sentence); };
    OpenedModel opened;
    TESSERA_ASSIGN(opened.engine, Engine::create(std::move(options)));
    TESSERA_ASSIGN(
        opened.pipeline, PipelineModel::open(folder, opened.engine, locations.clip_merges())
    );
    TESSERA_ASSIGN(const auto files, DiffusersFolder::open(folder));
    TESSERA_TRY(WeightsInfo::read(files));
    TESSERA_ASSIGN(opened.hash, model_hash(files, locations.model_hashes()));
    return opened;
}

void finish_engines(
    const OpenedModel& model, bool success, Progress& progress, const std::stop_token& stop
) {
    if (!success) {
        model.engine->abandon_cache_writes();
        return;
    }
    constexpr std::chrono::milliseconds kUnnoticed{300};
    const std::stop_callback abandon(stop, [&] { model.engine->abandon_cache_writes(); });
    const auto finished =
        std::async(std::launch::async, [&] { model.engine->finish_cache_writes(); });
    if (finished.wait_for(kUnnoticed) != std::future_status::ready) {
        progress.phase("keeping the prepared networks for next time (Ctrl-C skips this)");
    }
    finished.wait();
}

}  // namespace tessera::cli
