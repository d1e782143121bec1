#include "tessera/shell_words.h"

namespace tessera::cli {

Result<std::vector<std::string>> split_words(std::string_view line) {
    std::vector<std::string> words;
    std::string word;
    bool in_word = false;
    char quote = '\0';
    for (std::size_t at = 0; at < line.size(); ++at) {
        const char letter = line[at];
        const char next = at + 1 < line.size() ? line[at + 1] : '\0';
        if (quote != '\0') {
            const bool escapes = quote == '"' && letter == '\\' && (next == '"' || next == '\\');
            if (letter == quote) {
                quote = '\0';
            } else {
                word += escapes ? next : letter;
                at += escapes ? 1U : 0U;
            }
        } else if (letter == '"' || letter == '\'') {
            quote = letter;
            in_word = true;
        } else if (letter == ' ' || letter == '\t' || letter == '\r' || letter == '\n') {
            if (in_word) {
                words.push_back(std::move(word));
                word.clear();
            }
            in_word = false;
        } else if (letter == '\\') {
            if (at + 1 == line.size()) {
                return fail(ErrorKind::kInvalidArgument, "there is a lone \\ at the end");
            }
            word += next;
            ++at;
            in_word = true;
        } else {
            word += letter;
            in_word = true;
        }
    }
    if (quote != '\0') {
        return fail(ErrorKind::kInvalidArgument, "the quote {} is not closed", quote);
    }
    if (in_word) {
        words.push_back(std::move(word));
    }
    return words;
}

}  // namespace tessera::cli
