#include "goldens/tokenizer_goldens.h"

#include "base/file.h"
#include "prompt/clip_tokenizer.h"

#include <nlohmann/json.hpp>

namespace tessera {

std::vector<GoldenRow> check_tokenizer(
    const std::string& name,
    const std::filesystem::path& folder,
    const std::filesystem::path& clip_merges
) {
    constexpr std::uint64_t kMaxJsonBytes = std::uint64_t{16} << 20;
    GoldenRow row{name, "ids", 0.0, 0.0, GoldenStatus::kFail, ""};
    const auto text = read_file(folder / "case.json", kMaxJsonBytes);
    const auto json = text ? nlohmann::json::parse(*text, nullptr, false) : nlohmann::json();
    const auto own = folder / json.value("merges", "clip_merges.txt");
    const auto tokenizer =
        ClipTokenizer::from_merges_file(std::filesystem::exists(own) ? own : clip_merges);
    if (!tokenizer) {
        row.note = tokenizer.error().message;
        return {row};
    }
    int prompts = 0;
    for (const auto& entry : json.at("prompts")) {
        const auto prompt = entry.at("text").get<std::string>();
        const auto ids = tokenizer->ids(prompt);
        bool same = ids && *ids == entry.at("ids_hf_fast_rules").get<std::vector<TokenId>>();
        if (same && entry.contains("padded77")) {
            same = tokenizer->chunks(prompt)->front().ids ==
                   entry.at("padded77").get<std::vector<TokenId>>();
        }
        if (!same) {
            row.error += 1.0;
            row.note += row.note.empty() ? "differs: prompt " : ", ";
            row.note += std::to_string(prompts);
        }
        ++prompts;
    }
    row.tensor = std::to_string(prompts) + " prompts";
    row.status = row.error == 0.0 && prompts > 0 ? GoldenStatus::kPass : GoldenStatus::kFail;
    return {row};
}

}  // namespace tessera
