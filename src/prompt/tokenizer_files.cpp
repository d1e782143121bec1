#include "prompt/tokenizer_files.h"

#include "base/utf8.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <utility>

namespace tessera {
namespace {

using Json = nlohmann::json;

// CLIP's 49408 ids less 512 byte symbols and two special tokens.
constexpr std::size_t kClipMerges = 48894;
constexpr std::size_t kMinChunkSize = 3;
constexpr std::size_t kMaxChunkSize = 4096;
constexpr int kMaxConfigDepth = 16;

std::size_t line_at(std::string_view text, std::size_t offset) {
    const auto before = text.substr(0, offset);
    return 1 + static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n'));
}

/// Takes vocab.json event by event, so that a duplicate token is seen and nothing is nested.
class VocabularyReader : public nlohmann::json_sax<Json> {
  public:
    explicit VocabularyReader(std::string_view text) : text_(text) {}

    Result<TokenMap> take() {
        if (!Json::sax_parse(text_, this)) {
            return fail(ErrorKind::kCorrupt, "vocab.json: {}", complaint_);
        }
        if (tokens_.empty()) {
            return fail(ErrorKind::kCorrupt, "vocab.json: no tokens in it");
        }
        return std::move(tokens_);
    }

    bool null() override { return refuse_value(); }
    bool boolean(bool /*value*/) override { return refuse_value(); }
    bool number_integer(number_integer_t /*value*/) override { return refuse_value(); }
    bool number_float(number_float_t /*value*/, const string_t& /*text*/) override {
        return refuse_value();
    }
    bool string(string_t& /*value*/) override { return refuse_value(); }
    bool binary(binary_t& /*value*/) override { return refuse_value(); }
    bool start_array(std::size_t /*size*/) override { return refuse_value(); }
    bool end_array() override { return refuse_value(); }
    bool end_object() override { return true; }

    bool start_object(std::size_t /*size*/) override {
        return std::exchange(inside_, true) ? refuse_value() : true;
    }

    bool key(string_t& token) override {
        token_ = std::move(token);
        return true;
    }

    bool number_unsigned(number_unsigned_t value) override {
        if (!inside_ || value >= static_cast<number_unsigned_t>(kTokenIdLimit)) {
            return refuse_value();
        }
        if (value >= taken_.size()) {
            taken_.resize(static_cast<std::size_t>(value) + 1);
        }
        if (taken_[value]) {
            complaint_ =
                fmt::format("the id {} of {} is another token's too", value, quoted_token(token_));
            return false;
        }
        taken_[value] = true;
        if (!tokens_.emplace(std::move(token_), static_cast<TokenId>(value)).second) {
            complaint_ = fmt::format("the token of id {} is in it twice", value);
            return false;
        }
        return true;
    }

    bool parse_error(
        std::size_t position, const std::string& /*token*/, const Json::exception& /*error*/
    ) override {
        complaint_ = fmt::format("line {} is not valid JSON", line_at(text_, position));
        return false;
    }

  private:
    bool refuse_value() {
        complaint_ = inside_ ? fmt::format(
                                   "the id of {} is not an integer from 0 to {}",
                                   quoted_token(token_),
                                   kTokenIdLimit - 1
                               )
                             : "it is not a JSON object of tokens and their ids";
        return false;
    }

    std::string_view text_;
    TokenMap tokens_;
    std::vector<bool> taken_;
    std::string token_;
    bool inside_ = false;
    std::string complaint_;
};

/// A JSON object, or an empty one for an empty text.
Result<Json> parse_config(std::string_view file, std::string_view text) {
    if (text.empty()) {
        return Json::object();
    }
    const auto check_depth = [](int depth, Json::parse_event_t /*event*/, Json& /*parsed*/) {
        if (depth > kMaxConfigDepth) {
            throw std::length_error("nested too deeply");
        }
        return true;
    };
    try {
        Json config = Json::parse(text, check_depth);
        if (config.is_object()) {
            return config;
        }
        return fail(ErrorKind::kCorrupt, "{} is not a JSON object", file);
    } catch (const Json::parse_error& error) {
        return fail(
            ErrorKind::kCorrupt, "{}: line {} is not valid JSON", file, line_at(text, error.byte)
        );
    } catch (const Json::exception&) {
        return fail(ErrorKind::kCorrupt, "{} holds a number out of range", file);
    } catch (const std::length_error& error) {
        return fail(ErrorKind::kCorrupt, "{} is {}", file, error.what());
    }
}

/// Sets `token` from a special token's entry: its text, or an object with the text as "content".
Status read_special_token(
    std::string_view file, const Json& config, const char* name, std::string& token
) {
    const auto entry = config.find(name);
    if (entry == config.end() || entry->is_null()) {
        return {};
    }
    const Json* content = &*entry;
    if (entry->is_object() && entry->contains("content")) {
        content = &entry->at("content");
    }
    if (!content->is_string() || content->get_ref<const std::string&>().empty()) {
        return fail(ErrorKind::kCorrupt, "{}: {} is not the text of a token", file, name);
    }
    token = content->get<std::string>();
    return {};
}

Status read_special_tokens(std::string_view file, const Json& config, TokenizerSettings& settings) {
    TESSERA_TRY(read_special_token(file, config, "bos_token", settings.start_token));
    TESSERA_TRY(read_special_token(file, config, "eos_token", settings.end_token));
    TESSERA_TRY(read_special_token(file, config, "pad_token", settings.pad_token));
    return read_special_token(file, config, "unk_token", settings.unknown_token);
}

Result<std::size_t> read_chunk_size(const Json& config) {
    const auto entry = config.find("model_max_length");
    // transformers writes 10^30 where no limit was set; CLIP's own holds then.
    if (entry == config.end() || entry->is_null() ||
        (entry->is_number() && entry->get<double>() >= 1e9)) {
        return TokenizerSettings().chunk_size;
    }
    if (entry->is_number_unsigned()) {
        const auto size = entry->get<std::uint64_t>();
        if (size >= kMinChunkSize && size <= kMaxChunkSize) {
            return static_cast<std::size_t>(size);
        }
    }
    return fail(
        ErrorKind::kCorrupt,
        "tokenizer_config.json: model_max_length is not an integer from {} to {}",
        kMinChunkSize,
        kMaxChunkSize
    );
}

}  // namespace

Result<TokenMap> parse_vocab_json(std::string_view text) {
    return VocabularyReader(text).take();
}

Result<std::vector<MergeLine>> parse_merges_txt(std::string_view text) {
    const auto last = text.find_last_not_of(" \r\n");
    text = text.substr(0, last == std::string_view::npos ? 0 : last + 1);

    std::vector<MergeLine> merges;
    for (std::size_t number = 1; !text.empty() && merges.size() < kClipMerges; ++number) {
        const std::size_t length = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, length);
        text.remove_prefix(std::min(length + 1, text.size()));
        if (line.ends_with('\r')) {
            line.remove_suffix(1);
        }
        if (number == 1 && line.find("#version") != std::string_view::npos) {
            continue;
        }
        if (auto valid = check_utf8(line); !valid) {
            return fail(
                ErrorKind::kCorrupt, "merges.txt line {}: {}", number, valid.error().message
            );
        }
        const std::size_t space = line.find(' ');
        const bool two_parts = space != std::string_view::npos && space > 0 &&
                               space + 1 < line.size() &&
                               line.find(' ', space + 1) == std::string_view::npos;
        if (!two_parts) {
            return fail(
                ErrorKind::kCorrupt,
                "merges.txt line {}: {} is not two symbols with a space between them",
                number,
                quoted_token(line)
            );
        }
        merges.push_back({line.substr(0, space), line.substr(space + 1), number});
    }
    return merges;
}

Result<TokenizerSettings> parse_tokenizer_settings(
    std::string_view tokenizer_config_json, std::string_view special_tokens_map_json
) {
    constexpr std::string_view kConfigFile = "tokenizer_config.json";
    constexpr std::string_view kMapFile = "special_tokens_map.json";
    TESSERA_ASSIGN(const Json config, parse_config(kConfigFile, tokenizer_config_json));
    TESSERA_ASSIGN(const Json map, parse_config(kMapFile, special_tokens_map_json));

    TokenizerSettings settings;
    TESSERA_TRY(read_special_tokens(kConfigFile, config, settings));
    if (!config.contains("added_tokens_decoder")) {
        TESSERA_TRY(read_special_tokens(kMapFile, map, settings));
    }
    TESSERA_ASSIGN(settings.chunk_size, read_chunk_size(config));
    if (const auto lower = config.find("do_lower_case"); lower != config.end()) {
        if (!lower->is_boolean()) {
            return fail(ErrorKind::kCorrupt, "{}: do_lower_case is not true or false", kConfigFile);
        }
        settings.lower_case = lower->get<bool>();
    }
    return settings;
}

std::string quoted_token(std::string_view token) {
    constexpr std::size_t kShownBytes = 40;
    std::string shown(token.substr(0, kShownBytes));
    if (shown.size() < token.size()) {
        shown += "...";
    }
    return Json(shown).dump(-1, ' ', true, Json::error_handler_t::replace);
}

}  // namespace tessera
