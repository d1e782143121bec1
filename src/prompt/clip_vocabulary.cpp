#include "prompt/clip_vocabulary.h"

#include "prompt/clip_words.h"
#include "prompt/tokenizer_files.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace tessera {
namespace {

constexpr std::string_view kWordEnd = "</w>";

struct ByteSymbol {
    std::uint8_t byte;
    std::string text;
};

/// A printable character for each byte (GPT-2's bytes_to_unicode), in the order of CLIP's ids:
/// the bytes that are printable themselves, then the others as U+0100 and on.
std::vector<ByteSymbol> byte_symbols() {
    const auto is_printable = [](unsigned byte) {
        return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
    };
    std::vector<ByteSymbol> symbols;
    for (const bool printable : {true, false}) {
        char32_t stand_in = 0x100;
        for (unsigned byte = 0; byte < 256; ++byte) {
            if (is_printable(byte) == printable) {
                const char32_t point = printable ? static_cast<char32_t>(byte) : stand_in++;
                symbols.push_back(
                    {static_cast<std::uint8_t>(byte), to_utf8(std::u32string_view(&point, 1))}
                );
            }
        }
    }
    return symbols;
}

Result<TokenMap> vocabulary_from_merges(
    const std::vector<MergeLine>& merges, const TokenizerSettings& settings
) {
    if (merges.empty()) {
        return fail(ErrorKind::kCorrupt, "merges.txt: no merges in it");
    }
    TokenMap tokens;
    tokens.reserve(2 * 256 + merges.size() + 2);
    const auto add = [&tokens](std::string token) {
        return tokens.emplace(std::move(token), static_cast<TokenId>(tokens.size())).second;
    };
    const std::vector<ByteSymbol> symbols = byte_symbols();
    for (const ByteSymbol& symbol : symbols) {
        add(symbol.text);
    }
    for (const ByteSymbol& symbol : symbols) {
        add(symbol.text + std::string(kWordEnd));
    }
    for (const MergeLine& merge : merges) {
        std::string product = std::string(merge.left) + std::string(merge.right);
        if (!add(product)) {
            return fail(
                ErrorKind::kCorrupt,
                "merges.txt line {}: an earlier line makes {} already",
                merge.line,
                quoted_token(product)
            );
        }
    }
    for (const std::string& special : {settings.start_token, settings.end_token}) {
        if (!add(special)) {
            return fail(
                ErrorKind::kCorrupt,
                "{} cannot be a special token: the vocabulary has it already",
                quoted_token(special)
            );
        }
    }
    return tokens;
}

std::optional<TokenId> find_id(const TokenMap& tokens, std::string_view token) {
    const auto found = tokens.find(token);
    return found == tokens.end() ? std::nullopt : std::optional(found->second);
}

Result<TokenId> special_id(
    const TokenMap& tokens, std::string_view role, std::string_view special
) {
    if (const auto id = find_id(tokens, special)) {
        return *id;
    }
    return fail(
        ErrorKind::kCorrupt, "the vocabulary lacks the {} token {}", role, quoted_token(special)
    );
}

Result<MergeTable> merge_table(const TokenMap& tokens, const std::vector<MergeLine>& lines) {
    std::vector<MergeTable::Merge> merges;
    merges.reserve(lines.size());
    std::string product;
    for (const MergeLine& line : lines) {
        product.assign(line.left).append(line.right);
        TokenId ids[3];
        std::size_t part = 0;
        for (const std::string_view token : {line.left, line.right, std::string_view(product)}) {
            const auto id = find_id(tokens, token);
            if (!id) {
                return fail(
                    ErrorKind::kCorrupt,
                    "merges.txt line {}: {} is not in the vocabulary",
                    line.line,
                    quoted_token(token)
                );
            }
            ids[part++] = *id;
        }
        merges.push_back({ids[0], ids[1], ids[2]});
    }
    MergeTable table(merges);
    if (const auto rank = table.repeated_rank()) {
        return fail(
            ErrorKind::kCorrupt, "merges.txt line {} repeats an earlier line", lines[*rank].line
        );
    }
    return table;
}

/// Fills both tables of byte symbols; one that the vocabulary lacks becomes its unknown token.
Status find_byte_ids(
    const TokenMap& tokens, std::string_view unknown_token, ClipVocabulary& vocabulary
) {
    const auto unknown = find_id(tokens, unknown_token);
    for (const ByteSymbol& symbol : byte_symbols()) {
        const auto inner = find_id(tokens, symbol.text);
        const auto last = find_id(tokens, symbol.text + std::string(kWordEnd));
        if (!unknown && (!inner || !last)) {
            return fail(
                ErrorKind::kCorrupt,
                "the vocabulary lacks a symbol for byte 0x{:02x}, and the unknown token {} to "
                "stand in",
                symbol.byte,
                quoted_token(unknown_token)
            );
        }
        vocabulary.byte_ids[symbol.byte] = inner ? *inner : *unknown;
        vocabulary.last_byte_ids[symbol.byte] = last ? *last : *unknown;
    }
    return {};
}

}  // namespace

Result<ClipVocabulary> read_clip_vocabulary(const ClipTokenizerTexts& texts) {
    TESSERA_ASSIGN(
        const TokenizerSettings settings,
        parse_tokenizer_settings(texts.tokenizer_config_json, texts.special_tokens_map_json)
    );
    TESSERA_ASSIGN(const auto merges, parse_merges_txt(texts.merges_txt));
    TESSERA_ASSIGN(
        const TokenMap tokens,
        texts.vocab_json.empty() ? vocabulary_from_merges(merges, settings)
                                 : parse_vocab_json(texts.vocab_json)
    );

    ClipVocabulary vocabulary;
    for (const auto& [token, id] : tokens) {
        vocabulary.size = std::max(vocabulary.size, static_cast<std::size_t>(id) + 1);
    }
    TESSERA_TRY(find_byte_ids(tokens, settings.unknown_token, vocabulary));
    TESSERA_ASSIGN(vocabulary.merges, merge_table(tokens, merges));
    TESSERA_ASSIGN(vocabulary.start_id, special_id(tokens, "start", settings.start_token));
    TESSERA_ASSIGN(vocabulary.end_id, special_id(tokens, "end", settings.end_token));
    TESSERA_ASSIGN(vocabulary.pad_id, special_id(tokens, "pad", settings.pad_token));
    vocabulary.special_tokens = {
        normalized_prompt(settings.start_token, settings.lower_case),
        normalized_prompt(settings.end_token, settings.lower_case),
    };
    vocabulary.lower_case = settings.lower_case;
    vocabulary.chunk_size = settings.chunk_size;
    return vocabulary;
}

}  // namespace tessera
