#include "inference/engine.h"

#include "base/file.h"
#include "inference/cache_writer.h"
#include "inference/runtime_internal.h"
#include "inference/session_internal.h"
#include "inference/system_memory.h"

#include <algorithm>
#include <thread>

namespace tessera {
namespace {

constexpr int kMostThreads = 1024;

std::uint64_t weight_bytes(const OnnxModel& model) {
    std::uint64_t bytes = 0;
    for (const OnnxWeight& weight : model.weights) {
        bytes += weight.values.size_bytes();
    }
    return bytes;
}

/// Refuses what is bound to fail before gigabytes are written: weights as they are, once more in
/// the layout of the kernels, and a copy of both while the graph is optimised.
Status check_room(const EngineCache& cache, std::uint64_t weights, std::uint64_t memory) {
    constexpr std::uint64_t kSpare = 256ULL << 20U;
    if (weights > cache.budget_bytes()) {
        return fail(
            ErrorKind::kExhausted,
            "its weights take {} MiB, more than the cache's budget of {} MiB",
            weights >> 20U,
            cache.budget_bytes() >> 20U
        );
    }
    if (cache.free_disk_bytes() / 2 < weights) {
        return fail(ErrorKind::kExhausted, "the disk has less than {} MiB free", weights >> 19U);
    }
    if (memory < kSpare || (memory - kSpare) / 3 < weights) {
        return fail(
            ErrorKind::kExhausted,
            "only {} MiB of memory are free; it takes {} MiB for a while",
            memory >> 20U,
            (3 * weights + kSpare) >> 20U
        );
    }
    return {};
}

struct CacheTask {
    EngineCache cache;
    EngineIdentity identity;
    std::shared_ptr<Runtime> runtime;
    std::function<std::uint64_t()> memory;
};

/// The mapped session of a cache entry, written now unless another process did so meanwhile.
Result<std::shared_ptr<const Session>> write_entry(
    const CacheTask& task, const OnnxModel& model, const std::stop_token& stop
) {
    if (const auto found = task.cache.find(task.identity)) {
        return Session::from_cache(task.runtime, found->graph, found->folder);
    }
    TESSERA_TRY(check_room(task.cache, weight_bytes(model), task.memory()));
    TESSERA_ASSIGN(auto draft, task.cache.begin());
    TESSERA_TRY(write_optimised(task.runtime, model, draft.folder(), stop));
    // What cannot be loaded here shall not wait for the next process.
    TESSERA_ASSIGN(const auto graph, read_file(draft.folder() / kCachedGraphFile, kLargestGraph));
    TESSERA_ASSIGN(auto session, Session::from_cache(task.runtime, graph, draft.folder()));
    TESSERA_TRY(task.cache.commit(std::move(draft), task.identity));
    return session;
}

}  // namespace

Result<std::shared_ptr<Engine>> Engine::create(EngineOptions options) {
    if (options.threads < 0 || options.threads > kMostThreads) {
        return fail(
            ErrorKind::kInvalidArgument,
            "an engine works with 1 to {} threads, or 0 for one per core; {} were asked for",
            kMostThreads,
            options.threads
        );
    }
    if (options.threads == 0) {
        options.threads = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
    }
    if (!options.warn) {
        options.warn = [](const std::string&) {};
    }
    if (!options.available_memory) {
        options.available_memory = available_memory;
    }
    TESSERA_ASSIGN(auto runtime, Runtime::get(options.threads));
    std::optional<EngineCache> cache;
    if (!options.cache_folder.empty() && options.provider == Provider::kCpu) {
        auto opened = EngineCache::open(options.cache_folder, options.cache_budget_bytes);
        if (opened) {
            cache = *std::move(opened);
        } else {
            options.warn(opened.error().message + "; going on without");
        }
    }
    return std::make_shared<Engine>(std::move(options), std::move(runtime), std::move(cache));
}

Engine::Engine(
    EngineOptions options, std::shared_ptr<Runtime> runtime, std::optional<EngineCache> cache
)
    : options_(std::move(options)),
      runtime_(std::move(runtime)),
      fingerprint_(this_fingerprint(options_.provider)),
      cache_(std::move(cache)),
      writer_(std::make_unique<CacheWriter>()) {}

Engine::~Engine() = default;

Result<std::shared_ptr<Network>> Engine::load(const ModelSource& source) {
    if (auto network = load_cached(source)) {
        return network;
    }
    TESSERA_ASSIGN(auto model, source.build());
    auto session = Session::from_memory(runtime_, model, options_.provider);
    if (!session) {
        return within(source.name, std::move(session).error());
    }
    auto network = std::make_shared<Network>(source.name, *std::move(session));
    if (cache_) {
        write_later(source, std::move(model), network);
    }
    return network;
}

std::shared_ptr<Network> Engine::load_cached(const ModelSource& source) {
    if (!cache_) {
        return nullptr;
    }
    const EngineIdentity identity = identify(source);
    std::string refusal;
    if (auto found = cache_->find(identity)) {
        auto session = Session::from_cache(runtime_, found->graph, found->folder);
        if (session) {
            return std::make_shared<Network>(source.name, *std::move(session));
        }
        refusal = session.error().message;
    } else if (found.error().kind == ErrorKind::kNotFound) {
        return nullptr;
    } else {
        refusal = found.error().message;
    }
    options_.warn(
        fmt::format("the cached engine of {} is refused and made anew: {}", source.name, refusal)
    );
    if (const auto removed = cache_->remove(identity.key()); !removed) {
        options_.warn(removed.error().message);
    }
    return nullptr;
}

void Engine::write_later(
    const ModelSource& source, OnnxModel model, const std::shared_ptr<Network>& network
) {
    writer_->add([task = CacheTask{*cache_, identify(source), runtime_, options_.available_memory},
                  warn = options_.warn,
                  model = std::move(model),
                  network = std::weak_ptr(network)](const std::stop_token& stop) mutable {
        auto session = write_entry(task, model, stop);
        model = OnnxModel();
        return_free_memory();
        if (session) {
            if (const auto living = network.lock()) {
                living->replace_session(*std::move(session));
            }
        } else if (session.error().kind != ErrorKind::kCancelled) {
            warn(fmt::format(
                "the engine of {} is not cached: {}", task.identity.name, session.error().message
            ));
        }
    });
}

EngineIdentity Engine::identify(const ModelSource& source) const {
    return {
        .name = source.name,
        .content_key = source.content_key,
        .fingerprint = fingerprint_.text(),
    };
}

void Engine::finish_cache_writes() {
    writer_->finish();
}

void Engine::abandon_cache_writes() {
    writer_->abandon();
}

}  // namespace tessera
