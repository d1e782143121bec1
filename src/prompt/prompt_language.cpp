#include "prompt/prompt_language.h"

#include "prompt/attention.h"
#include "prompt/composition.h"
#include "prompt/prompt_text.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace tessera {
namespace {

/// Each is a run of the text encoder.
constexpr std::size_t kMostChunks = 4096;

class PromptParser {
  public:
    PromptParser(const ClipTokenizer& tokenizer, const PromptOptions& options)
        : tokenizer_(tokenizer),
          options_(options),
          embeddings_(options.embeddings != nullptr ? *options.embeddings : no_embeddings_) {}

    Result<ParsedPrompt> parse(std::string_view prompt) {
        TESSERA_TRY(check_prompt_text(prompt, ClipTokenizer::kMaxPromptBytes));
        if (options_.syntax == PromptSyntax::kPlain) {
            TESSERA_TRY(add_plain(prompt));
            return std::move(result_);
        }
        TaggedPrompt tagged = take_extra_networks(prompt);
        if (options_.role == PromptRole::kNegative) {
            remark_on_negative(prompt, tagged);
            TESSERA_TRY(remark_on_signs(prompt, prompt));
            TESSERA_TRY(add_part({prompt}));
            return std::move(result_);
        }
        remark(std::move(tagged.remarks));
        result_.tags = std::move(tagged.tags);
        TESSERA_ASSIGN(const auto aligned, split_composition(tagged.aligned));
        remark_on_weight(aligned);
        for (const ComposedText& part : aligned) {
            TESSERA_TRY(remark_on_signs(part.text, tagged.aligned));
        }
        TESSERA_ASSIGN(const auto parts, split_composition(tagged.text));
        for (const ComposedText& part : parts) {
            TESSERA_TRY(add_part(part));
        }
        return std::move(result_);
    }

  private:
    Status add_plain(std::string_view prompt) {
        TESSERA_ASSIGN(auto chunks, plain_chunks(prompt, tokenizer_));
        PromptPart part;
        part.variants.push_back({std::string(prompt), std::move(chunks.chunks), chunks.tokens});
        part.schedule.push_back({options_.steps.steps, 0});
        result_.parts.push_back(std::move(part));
        return {};
    }

    Status add_part(const ComposedText& text) {
        TESSERA_ASSIGN(auto schedule, schedule_prompt(text.text, options_.steps));
        PromptPart part;
        part.weight = text.weight;
        std::unordered_map<std::string, std::size_t> known;
        std::size_t most_chunks = 0;
        for (ScheduledText& piece : schedule.pieces) {
            const auto [variant, is_new] = known.emplace(piece.text, part.variants.size());
            if (is_new) {
                TESSERA_ASSIGN(part.variants.emplace_back(), read_variant(std::move(piece.text)));
                most_chunks = std::max(most_chunks, part.variants.back().chunks.size());
                TESSERA_TRY(check_chunks(most_chunks * part.variants.size()));
            }
            part.schedule.push_back({piece.end_at_step, variant->second});
        }
        for (PromptVariant& variant : part.variants) {
            variant.chunks.resize(most_chunks, empty_chunk(tokenizer_));
        }
        chunk_count_ += most_chunks * part.variants.size();
        result_.parts.push_back(std::move(part));
        return {};
    }

    Status check_chunks(std::size_t more) const {
        if (chunk_count_ + more > kMostChunks) {
            return fail(
                ErrorKind::kInvalidArgument,
                "the prompt makes more than {} chunks of {} tokens, its changes and AND counted; "
                "shorten it",
                kMostChunks,
                tokenizer_.chunk_size() - 2
            );
        }
        return {};
    }

    Result<PromptVariant> read_variant(std::string text) {
        TESSERA_ASSIGN(auto attention, parse_attention(text));
        for (PromptFragment& fragment : attention.fragments) {
            std::vector<std::string> remarks;
            fragment.text = resolve_comfy_embeddings(fragment.text, embeddings_, remarks);
            remark(std::move(remarks));
        }
        TESSERA_ASSIGN(auto chunks, lay_out_chunks(attention.fragments, tokenizer_, embeddings_));
        return PromptVariant{std::move(text), std::move(chunks.chunks), chunks.tokens};
    }

    /// Of signs that are not as they should be, with their places in the prompt, which `part` is a
    /// part of.
    Status remark_on_signs(std::string_view part, std::string_view prompt) {
        const auto before = prompt.substr(0, static_cast<std::size_t>(part.data() - prompt.data()));
        const std::size_t position = 1 + character_count(before);
        TESSERA_ASSIGN(auto schedule, schedule_prompt(part, options_.steps, position));
        remark(std::move(schedule.remarks));
        TESSERA_ASSIGN(auto attention, parse_attention(part, position));
        remark(std::move(attention.remarks));
        return {};
    }

    void remark_on_weight(const std::vector<ComposedText>& parts) {
        if (parts.size() == 1 && parts.front().weight != 1) {
            remark({fmt::format(
                "the number at the end was taken as the weight {:g} of the whole prompt; write "
                "\":\\\" for the colon itself",
                parts.front().weight
            )});
        }
    }

    void remark_on_negative(std::string_view prompt, const TaggedPrompt& tagged) {
        if (!tagged.tags.empty()) {
            remark({fmt::format(
                "the tag <{}:{}> is only words in a negative prompt",
                tagged.tags.front().kind,
                tagged.tags.front().name
            )});
        }
        if (find_word(prompt, "AND", 0) != std::string_view::npos) {
            remark({"AND is only a word in a negative prompt"});
        }
    }

    void remark(std::vector<std::string> sentences) {
        constexpr std::size_t kMostRemarks = 32;
        for (std::string& sentence : sentences) {
            auto& remarks = result_.remarks;
            if (remarks.size() < kMostRemarks &&
                std::find(remarks.begin(), remarks.end(), sentence) == remarks.end()) {
                remarks.push_back(std::move(sentence));
            }
        }
    }

    const ClipTokenizer& tokenizer_;
    const PromptOptions& options_;
    const EmbeddingNames no_embeddings_;
    const EmbeddingNames& embeddings_;
    ParsedPrompt result_;
    std::size_t chunk_count_ = 0;
};

}  // namespace

Result<ParsedPrompt> parse_prompt(
    std::string_view prompt, const ClipTokenizer& tokenizer, const PromptOptions& options
) {
    return PromptParser(tokenizer, options).parse(prompt);
}

TokenCount count_tokens(const ParsedPrompt& prompt) {
    const PromptVariant* longest = &prompt.parts.front().variants.front();
    for (const PromptPart& part : prompt.parts) {
        for (const PromptVariant& variant : part.variants) {
            longest = variant.tokens > longest->tokens ? &variant : longest;
        }
    }
    const std::size_t room = longest->chunks.front().ids.size() - 2;
    const std::size_t chunks = std::max<std::size_t>(1, (longest->tokens + room - 1) / room);
    return {longest->tokens, chunks * room, chunks};
}

}  // namespace tessera
