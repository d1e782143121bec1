// Hostile prompts and styles files. An input's first byte chooses: 'S': the rest is a styles file,
// whose styles are then applied; any other: its low six bits are steps, the upper two choose the
// plain language, a negative prompt or the second pass; the rest is a prompt.
#include "prompt/attention.h"
#include "prompt/prompt_language.h"
#include "prompt/styles.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace {

using namespace tessera;

void require(bool holds) {
    if (!holds) {
        std::abort();
    }
}

const ClipTokenizer& tokenizer() {
    static const auto tokenizer = [] {
        ClipTokenizerTexts texts;
        texts.merges_txt =
            "#version: 0.2\ni n\nt h\na n\nr e\nth e</w>\nin g</w>\na t</w>\nan d</w>\no f</w>\n"
            "c at</w>\nre d</w>\n, ,</w>\n! !\n!! !!\nl l\nll ll\na a\naa aa\naaaa aaaa\n";
        return ClipTokenizer::from_texts(texts).value();
    }();
    return tokenizer;
}

const EmbeddingNames& embeddings() {
    static const auto names =
        EmbeddingNames::make({{"cat", 3}, {"the cat", 75}, {",", 30}, {"a", 1}}, tokenizer())
            .value();
    return names;
}

void check_chunk(const PromptChunk& chunk) {
    const std::size_t size = tokenizer().chunk_size();
    require(chunk.ids.size() == size && chunk.weights.size() == size);
    require(chunk.prompt_tokens <= size - 2);
    for (const TokenId id : chunk.ids) {
        require(id >= 0 && static_cast<std::size_t>(id) < tokenizer().vocabulary_size());
    }
    for (std::size_t i = 0; i < size; ++i) {
        require(std::abs(chunk.weights[i]) <= kMaxPromptWeight);
        require((i > 0 && i <= chunk.prompt_tokens) || chunk.weights[i] == 1);
    }
    std::size_t free = 1;
    for (const EmbeddingUse& use : chunk.embeddings) {
        require(use.position >= free);
        require(use.vectors == embeddings().all()[use.embedding].vectors);
        free = use.position + use.vectors;
        require(free <= chunk.prompt_tokens + 1);
    }
}

void check_part(const PromptPart& part, std::size_t steps, std::size_t prompt_bytes) {
    require(std::abs(part.weight) <= kMaxPromptWeight);
    require(!part.variants.empty() && !part.schedule.empty());
    std::size_t previous = 0;
    for (const ScheduledVariant& piece : part.schedule) {
        require(piece.end_at_step > previous && piece.variant < part.variants.size());
        previous = piece.end_at_step;
    }
    require(previous == steps);
    for (const PromptVariant& variant : part.variants) {
        require(variant.text.size() <= prompt_bytes);
        require(variant.chunks.size() == part.variants.front().chunks.size());
        for (const PromptChunk& chunk : variant.chunks) {
            check_chunk(chunk);
        }
    }
}

void parse(std::string_view prompt, unsigned choice) {
    PromptOptions options;
    options.steps.steps = 1 + (choice & 63U);
    options.syntax = choice >> 6U == 1 ? PromptSyntax::kPlain : PromptSyntax::kA1111;
    options.role = choice >> 6U == 2 ? PromptRole::kNegative : PromptRole::kPositive;
    if (choice >> 6U == 3) {
        options.steps.first_pass_steps = 20;
    }
    options.embeddings = &embeddings();
    const auto parsed = parse_prompt(prompt, tokenizer(), options);
    if (!parsed) {
        require(parsed.error().kind == ErrorKind::kInvalidArgument);
        require(!parsed.error().message.empty() && parsed.error().message.size() < 1000);
        return;
    }
    require(!parsed->parts.empty() && parsed->remarks.size() <= 32);
    for (const PromptPart& part : parsed->parts) {
        check_part(part, options.steps.steps, prompt.size());
    }
    const TokenCount count = count_tokens(*parsed);
    require(count.tokens <= count.limit);

    const auto escaped = parse_attention(escape_prompt(prompt));
    require(escaped.has_value() && escaped->fragments.size() == 1);
    require(escaped->fragments.front().text == prompt);
}

void read_styles_file(std::string_view csv) {
    const auto styles = parse_styles(csv);
    if (!styles) {
        require(!styles.error().message.empty());
        return;
    }
    for (const PromptStyle& style : *styles) {
        require(find_style(*styles, style.name).has_value());
        const auto joined = apply_style(style.prompt, "a cat");
        require(!joined || joined->size() <= ClipTokenizer::kMaxPromptBytes);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    if (input.starts_with('S')) {
        read_styles_file(input.substr(1));
    } else if (!input.empty()) {
        parse(input.substr(1), data[0]);
    }
    return 0;
}
