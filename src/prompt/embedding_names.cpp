#include "prompt/embedding_names.h"

#include "base/similar_name.h"
#include "prompt/clip_tokenizer.h"
#include "prompt/prompt_text.h"

#include <algorithm>
#include <array>
#include <utility>

namespace tessera {
namespace {

constexpr std::string_view kComfyPrefix = "embedding:";

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same_but_case(std::string_view left, std::string_view right) {
    return std::equal(left.begin(), left.end(), right.begin(), right.end(), [](char a, char b) {
        return lower(a) == lower(b);
    });
}

std::string_view without_file_ending(std::string_view name) {
    constexpr std::array<std::string_view, 3> kEndings{".safetensors", ".pt", ".bin"};
    for (const std::string_view ending : kEndings) {
        if (name.ends_with(ending)) {
            return name.substr(0, name.size() - ending.size());
        }
    }
    return name;
}

/// The word that the text begins with: to white space or a comma.
std::string_view comfy_name(std::string_view text) {
    std::size_t length = 0;
    while (length < text.size() && text[length] != ',') {
        const Character c = first_character(text.substr(length));
        if (is_space(c.code)) {
            break;
        }
        length += c.bytes;
    }
    return text.substr(0, length);
}

std::string missing(std::string_view name, std::span<const EmbeddingName> embeddings) {
    std::vector<std::string_view> names;
    for (const EmbeddingName& embedding : embeddings) {
        names.push_back(embedding.name);
    }
    const auto near = most_similar(name, names);
    return fmt::format(
        "the embedding {} is not installed and was left out{}",
        quoted_text(name),
        near.empty() ? "" : fmt::format("; the nearest name is {}", quoted_text(near))
    );
}

}  // namespace

Result<EmbeddingNames> EmbeddingNames::make(
    std::vector<EmbeddingName> embeddings, const ClipTokenizer& tokenizer
) {
    const std::size_t room = tokenizer.chunk_size() - 2;
    EmbeddingNames names;
    for (std::size_t index = 0; index < embeddings.size(); ++index) {
        const EmbeddingName& embedding = embeddings[index];
        if (embedding.vectors < 1 || embedding.vectors > room) {
            return fail(
                ErrorKind::kInvalidArgument,
                "the embedding {} has {} vectors; there can be from 1 to {}",
                quoted_text(embedding.name),
                embedding.vectors,
                room
            );
        }
        auto ids = tokenizer.ids(embedding.name);
        if (!ids) {
            return within(
                fmt::format("the embedding {}", quoted_text(embedding.name)), std::move(ids).error()
            );
        }
        if (ids->empty()) {
            return fail(
                ErrorKind::kInvalidArgument,
                "the embedding's name {} is no word; rename its file",
                quoted_text(embedding.name)
            );
        }
        names.entries_.push_back({*std::move(ids), index});
    }
    std::stable_sort(
        names.entries_.begin(),
        names.entries_.end(),
        [](const Entry& left, const Entry& right) {
            return std::pair(left.ids.front(), right.ids.size()) <
                   std::pair(right.ids.front(), left.ids.size());
        }
    );
    names.embeddings_ = std::move(embeddings);
    return names;
}

std::optional<EmbeddingNames::Match> EmbeddingNames::at_front(std::span<const TokenId> tokens
) const {
    if (tokens.empty()) {
        return std::nullopt;
    }
    auto entry = std::lower_bound(
        entries_.begin(),
        entries_.end(),
        tokens.front(),
        [](const Entry& candidate, TokenId id) { return candidate.ids.front() < id; }
    );
    for (; entry != entries_.end() && entry->ids.front() == tokens.front(); ++entry) {
        if (entry->ids.size() <= tokens.size() &&
            std::equal(entry->ids.begin(), entry->ids.end(), tokens.begin())) {
            return Match{entry->index, entry->ids.size()};
        }
    }
    return std::nullopt;
}

std::string resolve_comfy_embeddings(
    std::string_view text, const EmbeddingNames& names, std::vector<std::string>& remarks
) {
    std::string resolved;
    std::size_t kept = 0;
    for (std::size_t at = text.find(kComfyPrefix); at != std::string_view::npos;
         at = text.find(kComfyPrefix, at + 1)) {
        const auto name = comfy_name(text.substr(at + kComfyPrefix.size()));
        if (name.empty() ||
            (at > 0 && is_word_character(last_character(text.substr(0, at)).code))) {
            continue;
        }
        const auto all = names.all();
        const auto known =
            std::find_if(all.begin(), all.end(), [&](const EmbeddingName& candidate) {
                return same_but_case(candidate.name, name) ||
                       same_but_case(candidate.name, without_file_ending(name));
            });
        resolved += text.substr(kept, at - kept);
        if (known != all.end()) {
            resolved += known->name;
        } else {
            remarks.push_back(missing(name, all));
        }
        kept = at + kComfyPrefix.size() + name.size();
        at = kept - 1;
    }
    return resolved += text.substr(kept);
}

}  // namespace tessera
