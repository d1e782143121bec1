#include "tessera/opened_model.h"

#include "tessera/model_hash.h"

#include <chrono>
#include <future>
#include <set>
#include <system_error>

namespace tessera::cli {

std::vector<TextualInversion> read_embeddings(
    const std::filesystem::path& folder, RenderListener& listener
) {
    std::set<std::filesystem::path> files;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
        if (entry.is_regular_file(error)) {
            files.insert(entry.path());
        }
    }
    std::vector<TextualInversion> embeddings;
    for (const auto& file : files) {
        auto embedding = read_textual_inversion(file);
        if (embedding) {
            embeddings.push_back(*std::move(embedding));
        } else {
            listener.say("note: an embedding is left out: " + embedding.error().message);
        }
    }
    return embeddings;
}

Result<std::shared_ptr<Engine>> make_engine(
    const Locations& locations, const EngineChoice& choice, RenderListener& listener
) {
    EngineOptions options;
    options.threads = choice.threads;
    if (choice.cache) {
        options.cache_folder = locations.engines();
    }
    options.warn = [&listener](const std::string& sentence) { listener.say("note: " + sentence); };
    return Engine::create(std::move(options));
}

Result<OpenedModel> open_model(
    const Locations& locations,
    const std::filesystem::path& folder,
    const EngineChoice& choice,
    RenderListener& listener
) {
    listener.phase("reading the model");
    OpenedModel opened;
    TESSERA_ASSIGN(opened.engine, make_engine(locations, choice, listener));
    TESSERA_ASSIGN(
        opened.pipeline,
        PipelineModel::open(
            folder,
            opened.engine,
            locations.clip_merges(),
            read_embeddings(locations.embeddings, listener)
        )
    );
    TESSERA_ASSIGN(const auto files, DiffusersFolder::open(folder));
    TESSERA_TRY(WeightsInfo::read(files));
    TESSERA_ASSIGN(opened.hash, model_hash(files, locations.model_hashes()));
    return opened;
}

void finish_engine(
    Engine& engine, bool success, RenderListener& listener, const std::stop_token& stop
) {
    if (!success) {
        engine.abandon_cache_writes();
        return;
    }
    constexpr std::chrono::milliseconds kUnnoticed{300};
    const std::stop_callback abandon(stop, [&] { engine.abandon_cache_writes(); });
    const auto finished = std::async(std::launch::async, [&] { engine.finish_cache_writes(); });
    if (finished.wait_for(kUnnoticed) != std::future_status::ready) {
        listener.phase("keeping the prepared networks for next time (Ctrl-C skips this)");
    }
    finished.wait();
}

void finish_engines(
    const OpenedModel& model, bool success, RenderListener& listener, const std::stop_token& stop
) {
    finish_engine(*model.engine, success, listener, stop);
}

}  // namespace tessera::cli
