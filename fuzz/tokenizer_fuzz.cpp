// Hostile tokenizer folders, and hostile prompts for a sound one. An input's first byte chooses:
// 'F': vocab.json, merges.txt, prompt, tokenizer_config.json and special_tokens_map.json follow,
//      with a byte 0xFF after each but the last; missing ones are empty;
// any other: the rest is a prompt.
#include "base/utf8.h"
#include "prompt/clip_tokenizer.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

namespace {

using tessera::ClipTokenizer;
using tessera::ClipTokenizerTexts;
using tessera::TokenId;

std::string_view take_part(std::string_view& rest) {
    const std::string_view part = rest.substr(0, rest.find('\xFF'));
    rest.remove_prefix(part.size() < rest.size() ? part.size() + 1 : part.size());
    return part;
}

void require(bool holds) {
    if (!holds) {
        std::abort();
    }
}

/// Tokenizes and holds the result against what the tokenizer promises of every prompt.
void encode(const ClipTokenizer& tokenizer, std::string_view prompt) {
    const auto ids = tokenizer.ids(prompt);
    const auto chunks = tokenizer.chunks(prompt);
    const bool sound =
        prompt.size() <= ClipTokenizer::kMaxPromptBytes && tessera::check_utf8(prompt).has_value();
    require(ids.has_value() == sound && chunks.has_value() == sound);
    if (!sound) {
        return;
    }
    std::vector<TokenId> joined;
    for (const tessera::TokenChunk& chunk : *chunks) {
        require(chunk.ids.size() == tokenizer.chunk_size());
        const auto first = chunk.ids.begin() + 1;
        joined.insert(
            joined.end(), first, first + static_cast<std::ptrdiff_t>(chunk.prompt_tokens)
        );
    }
    require(joined == *ids);
    for (const TokenId id : joined) {
        require(id >= 0 && static_cast<std::size_t>(id) < tokenizer.vocabulary_size());
    }
}

const ClipTokenizer& sound_tokenizer() {
    static const auto tokenizer = [] {
        ClipTokenizerTexts texts;
        texts.merges_txt =
            "#version: 0.2\ni n\nt h\na n\nr e\nth e</w>\nin g</w>\na t</w>\nan d</w>\no f</w>\n"
            "c at</w>\nre d</w>\n, ,</w>\n! !\n!! !!\nl l\nll ll\na a\naa aa\naaaa aaaa\n";
        return ClipTokenizer::from_texts(texts).value();
    }();
    return tokenizer;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view rest(reinterpret_cast<const char*>(data), size);
    if (!rest.starts_with('F')) {
        encode(sound_tokenizer(), rest.substr(std::min<std::size_t>(1, size)));
        return 0;
    }
    rest.remove_prefix(1);
    ClipTokenizerTexts texts;
    texts.vocab_json = take_part(rest);
    texts.merges_txt = take_part(rest);
    const std::string_view prompt = take_part(rest);
    texts.tokenizer_config_json = take_part(rest);
    texts.special_tokens_map_json = take_part(rest);
    if (const auto tokenizer = ClipTokenizer::from_texts(texts)) {
        encode(*tokenizer, prompt);
    }
    return 0;
}
