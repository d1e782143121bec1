#include "tessera/diagnosis.h"

#include "base/file.h"
#include "imaging/codec.h"
#include "inference/engine.h"
#include "inference/system_memory.h"
#include "prompt/clip_tokenizer.h"
#include "tessera/installed_models.h"
#include "tessera/picture_decoder.h"
#include "tessera/quantity.h"
#include "tessera/version.h"

#include <algorithm>
#include <thread>

namespace tessera::cli {
namespace {

namespace fs = std::filesystem;
using Verdict = Finding::Verdict;

Finding check_engine() {
    const Fingerprint fingerprint = this_fingerprint();
    return {
        Verdict::kGood,
        "engine",
        fmt::format("ONNX Runtime {}; fingerprint {}", fingerprint.runtime, fingerprint.hash()),
        ""};
}

Finding check_processor() {
    return {
        Verdict::kGood,
        "processor",
        fmt::format(
            "{}; {} threads",
            this_fingerprint().cpu,
            std::max(1U, std::thread::hardware_concurrency())
        ),
        ""};
}

Finding check_memory() {
    constexpr std::uint64_t kLittle = 1'000'000'000;
    const std::uint64_t free = available_memory();
    Finding finding{Verdict::kGood, "memory", format_bytes(free) + " free", ""};
    if (free < kLittle) {
        finding.verdict = Verdict::kWeak;
        finding.mend = "end other programs, or take small models and sizes";
    }
    return finding;
}

Finding check_data(const Locations& locations) {
    std::error_code error;
    if (fs::is_directory(locations.shipped_models(), error)) {
        return {Verdict::kGood, "data folder", locations.data.string(), ""};
    }
    return {
        Verdict::kWeak,
        "data folder",
        fmt::format("{} has no weights folder", locations.data.string()),
        "install the program whole, or let TESSERA_DATA_DIR name the folder share/tessera"};
}

Finding check_vocabulary(const Locations& locations, const std::vector<InstalledModel>& models) {
    const auto tokenizer = ClipTokenizer::from_merges_file(locations.clip_merges());
    if (tokenizer) {
        return {Verdict::kGood, "CLIP vocabulary", locations.clip_merges().string(), ""};
    }
    const bool needed = std::any_of(models.begin(), models.end(), [](const InstalledModel& model) {
        std::error_code error;
        return model.found && !fs::is_directory(model.folder / "tokenizer", error);
    });
    return {
        needed ? Verdict::kMissing : Verdict::kWeak,
        "CLIP vocabulary",
        tokenizer.error().message + (needed ? "" : " (only models without a tokenizer need it)"),
        "run tools/setup.sh where the program was built, or install it whole"};
}

std::vector<Finding> check_models(
    const Locations& locations, const std::vector<InstalledModel>& models
) {
    std::vector<Finding> findings;
    bool any = false;
    for (const InstalledModel& model : models) {
        const std::string subject = fmt::format("model {}", model.name);
        if (model.found) {
            const auto& [info, weights] = *model.found;
            findings.push_back(
                {Verdict::kGood,
                 subject,
                 fmt::format(
                     "{}, {}x{}, {} in {}",
                     info.family,
                     info.native_width,
                     info.native_height,
                     format_bytes(weights.bytes),
                     weights.precision
                 ),
                 ""}
            );
            any = true;
        } else {
            findings.push_back(
                {Verdict::kWeak,
                 subject,
                 model.found.error().message,
                 fmt::format("mend or remove {}", model.folder.string())}
            );
        }
    }
    if (!any) {
        findings.push_back(
            {Verdict::kMissing,
             "models",
             "there is none to render with",
             locations.models.empty()
                 ? "let TESSERA_MODELS name a folder with models in diffusers layout"
                 : fmt::format(
                       "put a folder in diffusers layout into {}", locations.models.front().string()
                   )}
        );
    } else if (const auto usual = find_model(locations, default_model()); !usual) {
        findings.push_back(
            {Verdict::kWeak, "default model", usual.error().message, "let TESSERA_MODEL name one"}
        );
    }
    return findings;
}

Finding check_cache(const Locations& locations) {
    constexpr const char* kMend =
        "let TESSERA_CACHE_DIR name a folder that can be written to; without it each start is slow";
    if (locations.cache.empty()) {
        return {Verdict::kWeak, "cache folder", "there is no home folder to keep it in", kMend};
    }
    const std::uint64_t budget = EngineOptions().cache_budget_bytes;
    const auto cache = EngineCache::open(locations.engines(), budget);
    if (!cache) {
        return {Verdict::kWeak, "cache folder", cache.error().message, kMend};
    }
    AtomicFileWriter probe;
    if (const auto opened = probe.open(locations.engines() / "probe"); !opened) {
        return {Verdict::kWeak, "cache folder", opened.error().message, kMend};
    }
    return {
        Verdict::kGood,
        "cache folder",
        fmt::format(
            "{}, {} of {} in use, {} free on the disk",
            locations.engines().string(),
            format_bytes(cache->total_bytes()),
            format_bytes(budget),
            format_bytes(cache->free_disk_bytes())
        ),
        ""};
}

Finding check_formats() {
    constexpr int kSide = 16;
    Image image{kSide, kSide, 3, std::vector<std::uint8_t>(std::size_t{kSide} * kSide * 3)};
    Finding finding{Verdict::kGood, "picture formats", "", ""};
    for (const auto format : {PictureFormat::kPng, PictureFormat::kJpeg, PictureFormat::kWebp}) {
        const auto file = encode(image, format);
        const auto back = file ? decode(*file) : tl::unexpected(file.error());
        finding.detail += fmt::format(
            "{}{}{}",
            finding.detail.empty() ? "" : ", ",
            to_string(format),
            back ? "" : " fails: " + back.error().message
        );
        if (!back) {
            finding.verdict = Verdict::kMissing;
            finding.mend = "install libvips with support for PNG, JPEG and WebP";
        }
    }
    return finding;
}

/// That the filter fits this system's libraries shows when pictures go through it.
Status try_sandbox() {
    constexpr int kSide = 16;
    const Image image{kSide, kSide, 3, std::vector<std::uint8_t>(std::size_t{kSide} * kSide * 3)};
    for (const auto format : {PictureFormat::kPng, PictureFormat::kJpeg, PictureFormat::kWebp}) {
        TESSERA_ASSIGN(const auto file, encode(image, format));
        TESSERA_TRY(picture_decoder().decode(file));
    }
    return {};
}

Finding check_sandbox() {
    Finding finding{Verdict::kGood, "picture sandbox", "seccomp and limits", ""};
    const auto strength = picture_decoder().strength();
    const auto tried = strength ? try_sandbox() : tl::unexpected(strength.error());
    if (!tried) {
        finding.verdict = Verdict::kWeak;
        finding.detail = tried.error().message;
        finding.mend = "until it works no picture can be read; rendering from words can";
    } else if (*strength == SandboxStrength::kLimitsOnly) {
        finding.verdict = Verdict::kWeak;
        finding.detail = "limits only: this system offers no seccomp filters";
        finding.mend = "allow seccomp where the program runs, or read no pictures of strangers";
    }
    return finding;
}

}  // namespace

std::vector<Finding> diagnose(const Locations& locations) {
    const auto models = installed_models(locations);
    std::vector<Finding> findings{
        {Verdict::kGood, "program", version_text(), ""},
        check_engine(),
        check_processor(),
        check_memory(),
        check_data(locations)};
    for (auto& finding : check_models(locations, models)) {
        findings.push_back(std::move(finding));
    }
    findings.push_back(check_vocabulary(locations, models));
    findings.push_back(check_cache(locations));
    findings.push_back(check_formats());
    findings.push_back(check_sandbox());
    return findings;
}

}  // namespace tessera::cli
