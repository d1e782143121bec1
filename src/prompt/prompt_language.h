#pragma once

#include "base/result.h"
#include "prompt/chunks.h"
#include "prompt/extra_networks.h"
#include "prompt/schedule.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tessera {

enum class PromptSyntax : std::uint8_t {
    kA1111,  ///< AUTOMATIC1111's prompt language
    kPlain,  ///< every sign for itself, cut every 75 tokens: diffusers
};

/// In A1111's language a negative prompt has no tags and no AND.
enum class PromptRole : std::uint8_t { kPositive, kNegative };

struct PromptOptions {
    PromptSyntax syntax = PromptSyntax::kA1111;
    PromptRole role = PromptRole::kPositive;
    PassSteps steps;
    /// Installed embeddings, by the same tokenizer; nullptr: none. Only kA1111 looks.
    const EmbeddingNames* embeddings = nullptr;
};

/// One text that a prompt comes to at some of its steps.
struct PromptVariant {
    std::string text;
    std::vector<PromptChunk> chunks;  ///< as many as the other variants of its part
    std::size_t tokens = 0;           ///< see PromptChunks
};

struct ScheduledVariant {
    std::size_t end_at_step;  ///< see piece_at
    std::size_t variant;      ///< index into PromptPart::variants

    bool operator==(const ScheduledVariant&) const = default;
};

/// One of the prompts that AND joins; see ComposedText.
struct PromptPart {
    double weight = 1;
    std::vector<PromptVariant> variants;     ///< all different; at least one
    std::vector<ScheduledVariant> schedule;  ///< by end_at_step; at least one
};

struct ParsedPrompt {
    std::vector<PromptPart> parts;  ///< at least one
    std::vector<ExtraNetworkTag> tags;
    std::vector<std::string> remarks;  ///< what a person should know: one sentence each, no doubles
};

/// A prompt taken apart: tags, AND, schedule, emphasis, chunks. Styles come before this.
/// kInvalidArgument, one sentence: invalid UTF-8, too long, a weight out of range, nested too
/// deeply, a schedule that grows beyond bounds. Pure, thread-safe.
[[nodiscard]] Result<ParsedPrompt> parse_prompt(
    std::string_view prompt, const ClipTokenizer& tokenizer, const PromptOptions& options
);

/// What a token counter shows ("12/75"): of the prompt's longest variant.
struct TokenCount {
    std::size_t tokens;
    std::size_t limit;  ///< tokens that fit into as many chunks: a multiple of 75
    std::size_t chunks;
};
[[nodiscard]] TokenCount count_tokens(const ParsedPrompt& prompt);

}  // namespace tessera
