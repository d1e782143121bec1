#include "prompt/clip_tokenizer.h"

#include "base/file.h"
#include "prompt/clip_vocabulary.h"
#include "prompt/clip_words.h"
#include "prompt/prompt_text.h"

#include <algorithm>
#include <cstdint>

namespace tessera {
namespace {

// CLIP's own vocab.json has 1.1 MB, its merges.txt 0.5 MB.
constexpr std::uint64_t kMaxVocabularyBytes = std::uint64_t{16} << 20;
constexpr std::uint64_t kMaxConfigBytes = std::uint64_t{1} << 20;

Result<std::string> read_if_there(const std::filesystem::path& path) {
    auto text = read_file(path, kMaxConfigBytes);
    if (!text && text.error().kind == ErrorKind::kNotFound) {
        return std::string();
    }
    return text;
}

}  // namespace

Result<ClipTokenizer> ClipTokenizer::from_texts(const ClipTokenizerTexts& texts) {
    TESSERA_ASSIGN(auto vocabulary, read_clip_vocabulary(texts));
    return ClipTokenizer(std::make_shared<const ClipVocabulary>(std::move(vocabulary)));
}

Result<ClipTokenizer> ClipTokenizer::from_folder(const std::filesystem::path& folder) {
    ClipTokenizerTexts texts;
    TESSERA_ASSIGN(texts.vocab_json, read_file(folder / "vocab.json", kMaxVocabularyBytes));
    TESSERA_ASSIGN(texts.merges_txt, read_file(folder / "merges.txt", kMaxVocabularyBytes));
    TESSERA_ASSIGN(texts.tokenizer_config_json, read_if_there(folder / "tokenizer_config.json"));
    TESSERA_ASSIGN(
        texts.special_tokens_map_json, read_if_there(folder / "special_tokens_map.json")
    );
    if (texts.vocab_json.empty()) {
        return fail(ErrorKind::kCorrupt, "{} is empty", (folder / "vocab.json").string());
    }
    auto tokenizer = from_texts(texts);
    if (!tokenizer) {
        return within(folder.string(), std::move(tokenizer).error());
    }
    return tokenizer;
}

Result<ClipTokenizer> ClipTokenizer::from_merges_file(const std::filesystem::path& path) {
    ClipTokenizerTexts texts;
    TESSERA_ASSIGN(texts.merges_txt, read_file(path, kMaxVocabularyBytes));
    auto tokenizer = from_texts(texts);
    if (!tokenizer) {
        return within(path.string(), std::move(tokenizer).error());
    }
    return tokenizer;
}

Result<std::vector<TokenId>> ClipTokenizer::ids(std::string_view prompt, std::size_t limit_bytes)
    const {
    TESSERA_TRY(check_prompt_text(prompt, limit_bytes));
    const ClipVocabulary& vocabulary = *vocabulary_;
    const std::u32string text = normalized_prompt(prompt, vocabulary.lower_case);
    std::vector<TokenId> tokens;
    std::vector<TokenId> symbols;
    for (const std::u32string_view word : prompt_words(text, vocabulary.special_tokens)) {
        if (word == vocabulary.special_tokens[0]) {
            tokens.push_back(vocabulary.start_id);
            continue;
        }
        if (word == vocabulary.special_tokens[1]) {
            tokens.push_back(vocabulary.end_id);
            continue;
        }
        symbols.clear();
        const std::string bytes = to_utf8(word);
        for (const char byte : bytes) {
            symbols.push_back(vocabulary.byte_ids[static_cast<std::uint8_t>(byte)]);
        }
        symbols.back() = vocabulary.last_byte_ids[static_cast<std::uint8_t>(bytes.back())];
        vocabulary.merges.join(symbols);
        tokens.insert(tokens.end(), symbols.begin(), symbols.end());
    }
    return tokens;
}

Result<std::vector<TokenChunk>> ClipTokenizer::chunks(
    std::string_view prompt, std::size_t limit_bytes
) const {
    TESSERA_ASSIGN(const auto tokens, ids(prompt, limit_bytes));
    const std::size_t room = chunk_size() - 2;
    std::vector<TokenChunk> chunks;
    std::size_t at = 0;
    do {
        const std::size_t count = std::min(room, tokens.size() - at);
        const auto first = tokens.begin() + static_cast<std::ptrdiff_t>(at);
        TokenChunk chunk{{start_id()}, count};
        chunk.ids.insert(chunk.ids.end(), first, first + static_cast<std::ptrdiff_t>(count));
        chunk.ids.push_back(end_id());
        chunk.ids.resize(chunk_size(), pad_id());
        chunks.push_back(std::move(chunk));
        at += count;
    } while (at < tokens.size());
    return chunks;
}

ClipTokenizer::TokenText ClipTokenizer::token_text(TokenId id) const {
    const ClipVocabulary& vocabulary = *vocabulary_;
    if (id == vocabulary.start_id || id == vocabulary.end_id) {
        const bool start = id == vocabulary.start_id;
        return {to_utf8(vocabulary.special_tokens[start ? 0 : 1]), false};
    }
    TokenText text{"", false};
    for (const TokenId symbol : vocabulary.merges.taken_apart(id)) {
        const auto& inner = vocabulary.byte_ids;
        const auto& last = vocabulary.last_byte_ids;
        const auto inside = std::find(inner.begin(), inner.end(), symbol);
        const auto ending = std::find(last.begin(), last.end(), symbol);
        if (inside != inner.end()) {
            text.bytes += static_cast<char>(inside - inner.begin());
        } else if (ending != last.end()) {
            text.bytes += static_cast<char>(ending - last.begin());
            text.ends_word = true;
        }
    }
    return text;
}

std::size_t ClipTokenizer::vocabulary_size() const {
    return vocabulary_->size;
}

std::size_t ClipTokenizer::chunk_size() const {
    return vocabulary_->chunk_size;
}

TokenId ClipTokenizer::start_id() const {
    return vocabulary_->start_id;
}

TokenId ClipTokenizer::end_id() const {
    return vocabulary_->end_id;
}

TokenId ClipTokenizer::pad_id() const {
    return vocabulary_->pad_id;
}

}  // namespace tessera
