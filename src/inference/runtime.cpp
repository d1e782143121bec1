#include "inference/runtime_internal.h"

#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <new>
#include <string_view>

#if defined(__SANITIZE_ADDRESS__)
#define TESSERA_LEAK_CHECK 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TESSERA_LEAK_CHECK 1
#endif
#endif

#ifdef TESSERA_LEAK_CHECK
// ONNX Runtime keeps a few hundred bytes until the process ends, and Fontconfig (for the labels of
// contact sheets) the patterns of the fonts in use. Here, in the object that every program with a
// network links, the leak checker finds this.
extern "C" const char* __lsan_default_suppressions() {  // NOLINT(bugprone-reserved-identifier)
    return "leak:libonnxruntime.so\nleak:libfontconfig.so\n";
}
#endif

namespace tessera {
namespace {

/// ONNX Runtime would write to stderr, in the middle of a progress bar. What matters comes back as
/// a status as well, so its log is dropped.
void drop_log(
    void* /*parameter*/,
    OrtLoggingLevel /*level*/,
    const char* /*category*/,
    const char* /*id*/,
    const char* /*location*/,
    const char* /*message*/
) {}

bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

ErrorKind kind_of(OrtErrorCode code, std::string_view message) {
    if (contains(message, "is not a registered function/op") ||
        contains(message, "Could not find an implementation for") ||
        contains(message, "No Op registered for") || contains(message, "CUDA execution provider") ||
        contains(message, "providers_cuda")) {
        return ErrorKind::kUnsupported;
    }
    if (contains(message, "Failed to allocate memory") || contains(message, "bad_alloc") ||
        contains(message, "Available memory of")) {
        return ErrorKind::kExhausted;
    }
    switch (code) {
        case ORT_NOT_IMPLEMENTED:
            return ErrorKind::kUnsupported;
        case ORT_MODEL_LOAD_CANCELED:
            return ErrorKind::kCancelled;
        case ORT_NO_SUCHFILE:
        case ORT_NOT_FOUND:
            return ErrorKind::kNotFound;
        case ORT_INVALID_PROTOBUF:
        case ORT_INVALID_GRAPH:
        case ORT_NO_MODEL:
            return ErrorKind::kCorrupt;
        default:
            return ErrorKind::kInternal;
    }
}

/// The part of ONNX Runtime's message that a person can use: one line, not endless.
std::string first_line(std::string_view message) {
    constexpr std::size_t kLongest = 400;
    message = message.substr(0, message.find('\n'));
    return std::string(message.substr(0, kLongest));
}

/// Where the process's one runtime is. It stays taken until the runtime is wholly gone: a new one
/// made meanwhile would get the old one's threads.
struct Place {
    std::mutex mutex;
    std::condition_variable left;
    std::weak_ptr<Runtime> current;
    bool is_taken = false;
};

Ort::ThreadingOptions threading(int threads) {
    Ort::ThreadingOptions options;
    options.SetGlobalIntraOpNumThreads(threads);
    options.SetGlobalInterOpNumThreads(1);
    // Spinning between operators makes small networks 5-10 % faster, large ones no slower.
    options.SetGlobalSpinControl(1);
    return options;
}

}  // namespace

Error translate(const Ort::Exception& exception) {
    const std::string_view message = exception.what();
    const ErrorKind kind = kind_of(exception.GetOrtErrorCode(), message);
    const char* verdict = "ONNX Runtime failed";
    if (kind == ErrorKind::kUnsupported) {
        verdict = "this build of ONNX Runtime cannot run the graph";
    } else if (kind == ErrorKind::kExhausted) {
        verdict = "not enough memory";
    } else if (kind == ErrorKind::kCancelled) {
        verdict = "cancelled";
    }
    return Error{kind, fmt::format("{}: {}", verdict, first_line(message))};
}

Error translate(const std::exception& exception) {
    if (dynamic_cast<const std::bad_alloc*>(&exception) != nullptr) {
        return Error{ErrorKind::kExhausted, "not enough memory"};
    }
    return Error{
        ErrorKind::kInternal, fmt::format("ONNX Runtime failed: {}", first_line(exception.what()))};
}

Runtime::Runtime(int threads)
    : threads_(threads),
      env_(threading(threads), &drop_log, nullptr, ORT_LOGGING_LEVEL_FATAL, "tessera") {
    const auto memory = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
    const Ort::ArenaCfg defaults(0, -1, -1, -1);
    env_.CreateAndRegisterAllocator(memory, defaults);
}

Result<std::shared_ptr<Runtime>> Runtime::get(int threads) {
    // Never destroyed: the last runtime may go after the statics.
    static Place& place = *new Place;
    std::unique_lock lock(place.mutex);
    while (place.is_taken) {
        if (auto runtime = place.current.lock()) {
            if (runtime->threads() == threads) {
                return runtime;
            }
            return fail(
                ErrorKind::kConflict,
                "this process already has an engine with {} threads; one with {} must wait until "
                "it is gone",
                runtime->threads(),
                threads
            );
        }
        place.left.wait(lock);
    }
    // Otherwise ONNX Runtime reads the machine's id and the command line (with the prompt in it, by
    // a regular expression that overflows the stack on a long one) to report them to its maker, and
    // leaves files in /tmp and the user's cache.
    ::setenv("ORT_DISABLE_TELEMETRY", "1", 1);
    TESSERA_ASSIGN(auto owned, behind_wall([&] { return std::make_unique<Runtime>(threads); }));
    std::shared_ptr<Runtime> runtime(owned.release(), [](Runtime* last) {
        std::unique_ptr<Runtime>(last).reset();
        const std::lock_guard leaving(place.mutex);
        place.is_taken = false;
        place.left.notify_all();
    });
    place.current = runtime;
    place.is_taken = true;
    return runtime;
}

}  // namespace tessera
