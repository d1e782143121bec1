#include "base/file.h"
#include "goldens/network_goldens.h"
#include "goldens/sampler_goldens.h"
#include "goldens/tokenizer_goldens.h"
#include "goldens/upscaler_goldens.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>

namespace tessera {
namespace {

namespace fs = std::filesystem;

/// The class in model_index.json, empty without one.
std::string pipeline_class(const fs::path& folder) {
    const auto text = read_file(folder / "model_index.json", std::uint64_t{1} << 20);
    const auto json = text ? nlohmann::json::parse(*text, nullptr, false) : nlohmann::json();
    return json.is_object() ? json.value("_class_name", "") : "";
}

std::vector<GoldenRow> not_built(const std::string& name, const std::string& what) {
    return {{name, "(whole case)", 0.0, 0.0, GoldenStatus::kNotBuilt, what}};
}

/// The files of a case whose networks are upscalers.
std::set<fs::path> upscaler_files(const nlohmann::json& json, const fs::path& folder) {
    std::set<fs::path> files;
    const auto listed = json.value("files", nlohmann::json::object());
    for (const auto& [file, about] : listed.items()) {
        if (about.is_object() && about.contains("arch")) {
            files.insert((folder / file).lexically_normal());
        }
    }
    return files;
}

std::vector<GoldenRow> check_known_case(
    const std::string& name,
    const nlohmann::json& json,
    const fs::path& folder,
    const GoldenEngine& engine
) {
    if (json.contains("randn")) {
        return check_rng(folder);
    }
    if (json.contains("runs")) {
        return check_schedulers(folder);
    }
    if (json.contains("schedules")) {
        return check_kdiffusion(folder);
    }
    if (json.contains("merges_sha256")) {
        return check_tokenizer(name, folder, engine.clip_merges);
    }
    const auto pipeline = pipeline_class(folder);
    if (pipeline == "StableDiffusionPipeline") {
        return check_networks(name, folder, engine);
    }
    if (!pipeline.empty()) {
        return not_built(name, pipeline);
    }
    const auto tensors = json.value("tensors", nlohmann::json::object());
    if (tensors.contains("txt2img.latents")) {
        return check_end_to_end(name, folder, engine);
    }
    if (const auto upscalers = upscaler_files(json, folder); !upscalers.empty()) {
        return check_upscalers(name, folder, upscalers, engine);
    }
    if (json.contains("prompts")) {
        return check_demo_model(name, folder, engine);
    }
    return not_built(name, json.value("title", "a case of unknown kind"));
}

}  // namespace

std::vector<GoldenRow> check_case(const fs::path& folder, const GoldenEngine& engine) {
    const std::string name = folder.filename().string();
    const auto text = read_file(folder / "case.json", std::uint64_t{16} << 20);
    if (!text) {
        return {{name, "case.json", 0.0, 0.0, GoldenStatus::kFail, text.error().message}};
    }
    try {
        return check_known_case(name, nlohmann::json::parse(*text), folder, engine);
    } catch (const nlohmann::json::exception& error) {
        return {{name, "case.json", 0.0, 0.0, GoldenStatus::kFail, error.what()}};
    }
}

std::vector<GoldenRow> check_all(const fs::path& folder, const GoldenEngine& engine) {
    if (fs::exists(folder / "case.json")) {
        return check_case(fs::canonical(folder), engine);
    }
    std::set<fs::path> cases;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(folder, error)) {
        if (fs::exists(entry.path() / "case.json")) {
            cases.insert(entry.path());
        }
    }
    std::vector<GoldenRow> rows;
    for (const auto& golden_case : cases) {
        auto more = check_case(golden_case, engine);
        rows.insert(rows.end(), more.begin(), more.end());
    }
    return rows;
}

}  // namespace tessera
