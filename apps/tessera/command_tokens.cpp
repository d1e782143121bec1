#include "base/utf8.h"
#include "tessera/commands.h"
#include "tessera/installed_models.h"
#include "tessera/opened_model.h"
#include "tessera/progress.h"
#include "tessera/terminal.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tessera::cli {
namespace {

struct TokensOptions {
    std::string prompt;
    std::string model;
    bool negative = false;
    bool plain = false;
    std::optional<int> steps;
    bool json = false;
};

/// A prompt as the model is told it.
struct ReadPrompt {
    std::shared_ptr<PipelineModel> model;
    ParsedPrompt parsed;
    std::size_t steps = 0;
};

/// A token, or the vectors of an embedding.
struct ShownToken {
    std::string text;
    TokenId id = 0;
    float weight = 1;
    std::size_t vectors = 0;  ///< 0: a token
    bool ends_word = true;
};

Result<ReadPrompt> read_prompt(const TokensOptions& options) {
    constexpr int kMostSteps = 1000;
    if (options.steps && (*options.steps < 1 || *options.steps > kMostSteps)) {
        return fail(
            ErrorKind::kInvalidArgument,
            "--steps {} is not possible; take 1 to {}",
            *options.steps,
            kMostSteps
        );
    }
    const Locations locations = find_locations();
    TESSERA_ASSIGN(
        const auto folder,
        find_model(locations, options.model.empty() ? default_model() : options.model)
    );
    Progress progress;
    TESSERA_ASSIGN(auto engine, make_engine(locations, {1, false}, progress));
    ReadPrompt read;
    TESSERA_ASSIGN(
        read.model,
        PipelineModel::open(
            folder,
            std::move(engine),
            locations.clip_merges(),
            read_embeddings(locations.embeddings, progress)
        )
    );
    PromptOptions prompt;
    prompt.syntax = options.plain ? PromptSyntax::kPlain : PromptSyntax::kA1111;
    prompt.role = options.negative ? PromptRole::kNegative : PromptRole::kPositive;
    read.steps =
        static_cast<std::size_t>(options.steps.value_or(read.model->info().recommended.steps));
    prompt.steps.steps = read.steps;
    TESSERA_ASSIGN(read.parsed, read.model->parse(options.prompt, prompt));
    return read;
}

/// Bytes that are only a part of a character as \xNN.
std::string shown_bytes(const std::string& bytes) {
    if (check_utf8(bytes)) {
        return printable_line(bytes);
    }
    std::string shown;
    for (const char byte : bytes) {
        shown += fmt::format("\\x{:02X}", static_cast<unsigned char>(byte));
    }
    return shown;
}

std::vector<ShownToken> tokens_of(const PromptChunk& chunk, const PipelineModel& model) {
    std::vector<ShownToken> tokens;
    auto use = chunk.embeddings.begin();
    for (std::size_t at = 1; at <= chunk.prompt_tokens; ++at) {
        ShownToken token;
        token.id = chunk.ids[at];
        token.weight = chunk.weights[at];
        if (use != chunk.embeddings.end() && use->position == at) {
            token.text = printable_line(model.embedding_names().all()[use->embedding].name);
            token.vectors = use->vectors;
            at += use->vectors - 1;
            ++use;
        } else {
            const auto text = model.tokenizer().token_text(token.id);
            token.text = shown_bytes(text.bytes);
            token.ends_word = text.ends_word;
        }
        tokens.push_back(std::move(token));
    }
    return tokens;
}

/// At which steps, counted from 1, each variant of the part is in force.
std::vector<std::vector<std::size_t>> steps_of_variants(const PromptPart& part, std::size_t steps) {
    std::vector<std::vector<std::size_t>> all(part.variants.size());
    const std::span<const ScheduledVariant> schedule(part.schedule);
    for (std::size_t step = 0; step < steps; ++step) {
        all[schedule[piece_at(schedule, step)].variant].push_back(step + 1);
    }
    return all;
}

/// "1-4, 9"; "none".
std::string ranges(const std::vector<std::size_t>& steps) {
    constexpr std::size_t kMostRanges = 6;
    std::string text;
    std::size_t count = 0;
    for (std::size_t i = 0; i < steps.size(); ++i) {
        const std::size_t first = i;
        while (i + 1 < steps.size() && steps[i + 1] == steps[i] + 1) {
            ++i;
        }
        if (++count > kMostRanges) {
            return text + ", ...";
        }
        text += fmt::format("{}{}", text.empty() ? "" : ", ", steps[first]);
        if (i > first) {
            text += fmt::format("-{}", steps[i]);
        }
    }
    return text.empty() ? "none" : text;
}

void print(const std::string& line) {
    std::printf("%s\n", line.c_str());
}

/// Tokens of one weight a line: words apart, the tokens of one word with | between.
void show_chunk(const std::vector<ShownToken>& tokens, bool colour) {
    std::size_t width = terminal_columns(STDOUT_FILENO);
    constexpr std::size_t kIndent = 10;
    width = width > 2 * kIndent ? width - kIndent : kIndent;
    for (auto token = tokens.begin(); token != tokens.end();) {
        const float weight = token->weight;
        const char* paint = weight > 1 ? "\x1b[33m" : "\x1b[36m";
        std::string label = fmt::format("{:>8.3g}  ", weight);
        std::string line;
        const auto flush = [&] {
            const bool painted = colour && weight != 1;
            line.pop_back();
            print(
                fmt::format("{}{}{}{}", label, painted ? paint : "", line, painted ? "\x1b[0m" : "")
            );
            label.assign(kIndent, ' ');
            line.clear();
        };
        for (; token != tokens.end() && token->weight == weight; ++token) {
            const std::string text =
                token->vectors > 0 ? fmt::format("<{}: {} vectors>", token->text, token->vectors)
                                   : token->text;
            if (!line.empty() && display_width(line) + display_width(text) >= width) {
                flush();
            }
            line += text + (token->ends_word ? " " : "|");
        }
        flush();
    }
}

void show_variant(const PromptVariant& variant, const PipelineModel& model, bool colour) {
    for (std::size_t i = 0; i < variant.chunks.size(); ++i) {
        const PromptChunk& chunk = variant.chunks[i];
        print(fmt::format(
            "  chunk {}: {} of {} tokens", i + 1, chunk.prompt_tokens, chunk.ids.size() - 2
        ));
        show_chunk(tokens_of(chunk, model), colour);
    }
}

void show_text(const ReadPrompt& read) {
    const bool colour = look_at_terminal(STDOUT_FILENO).colour;
    const TokenCount count = count_tokens(read.parsed);
    print(fmt::format(
        "{}/{} tokens in {} chunk{}",
        count.tokens,
        count.limit,
        count.chunks,
        count.chunks == 1 ? "" : "s"
    ));
    const auto& parts = read.parsed.parts;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const PromptPart& part = parts[i];
        if (parts.size() > 1 || part.weight != 1) {
            print(fmt::format("\npart {} of {}, weight {:g}", i + 1, parts.size(), part.weight));
        }
        const auto steps = steps_of_variants(part, read.steps);
        for (std::size_t j = 0; j < part.variants.size(); ++j) {
            if (part.variants.size() > 1) {
                print(fmt::format(
                    "\nsteps {} of {}: {}",
                    ranges(steps[j]),
                    read.steps,
                    printable_line(part.variants[j].text)
                ));
            }
            show_variant(part.variants[j], *read.model, colour);
        }
    }
    if (!read.parsed.tags.empty() || !read.parsed.remarks.empty()) {
        print("");
    }
    for (const ExtraNetworkTag& tag : read.parsed.tags) {
        print(printable_line(fmt::format(
            "tag: {} {} at {:g} for the text encoder, {:g} for the UNet; not available yet, so it "
            "is "
            "left out",
            tag.kind,
            tag.name,
            tag.text_encoder_multiplier,
            tag.unet_multiplier
        )));
    }
    for (const std::string& remark : read.parsed.remarks) {
        print("note: " + printable_line(remark));
    }
}

using Json = nlohmann::ordered_json;

Json to_json(const PromptVariant& variant, const PipelineModel& model) {
    Json chunks = Json::array();
    for (const PromptChunk& chunk : variant.chunks) {
        Json tokens = Json::array();
        for (const ShownToken& token : tokens_of(chunk, model)) {
            if (token.vectors > 0) {
                tokens.push_back({{"embedding", token.text}, {"vectors", token.vectors}});
            } else {
                tokens.push_back(
                    {{"id", token.id}, {"text", token.text}, {"ends_word", token.ends_word}}
                );
            }
            tokens.back()["weight"] = token.weight;
        }
        chunks.push_back(std::move(tokens));
    }
    return {{"text", variant.text}, {"tokens", variant.tokens}, {"chunks", std::move(chunks)}};
}

void show_json(const ReadPrompt& read) {
    const TokenCount count = count_tokens(read.parsed);
    Json json{{"tokens", count.tokens}, {"limit", count.limit}, {"chunks", count.chunks}};
    json["steps"] = read.steps;
    json["parts"] = Json::array();
    for (const PromptPart& part : read.parsed.parts) {
        const auto steps = steps_of_variants(part, read.steps);
        Json variants = Json::array();
        for (std::size_t i = 0; i < part.variants.size(); ++i) {
            variants.push_back(to_json(part.variants[i], *read.model));
            variants.back()["steps"] = steps[i];
        }
        json["parts"].push_back({{"weight", part.weight}, {"variants", std::move(variants)}});
    }
    json["tags"] = Json::array();
    for (const ExtraNetworkTag& tag : read.parsed.tags) {
        json["tags"].push_back(
            {{"kind", tag.kind},
             {"name", tag.name},
             {"arguments", tag.arguments},
             {"text_encoder_multiplier", tag.text_encoder_multiplier},
             {"unet_multiplier", tag.unet_multiplier}}
        );
    }
    json["remarks"] = read.parsed.remarks;
    std::printf("%s\n", json.dump(2, ' ', false, Json::error_handler_t::replace).c_str());
}

}  // namespace

void add_tokens(CLI::App& program, Action& action) {
    auto* command =
        program.add_subcommand("tokens", "Show how a prompt is read: tokens, weights, steps");
    auto options = std::make_shared<TokensOptions>();
    command->add_option("PROMPT", options->prompt, "What the picture shows")->required();
    command->add_option("-m,--model", options->model, "The model that reads it, by name or path");
    command->add_option(
        "--steps", options->steps, "Steps to spread it over [the model's own number]"
    );
    command->add_flag("--negative", options->negative, "Read it as a negative prompt");
    command->add_flag(
        "--plain", options->plain, "Brackets and BREAK mean nothing, as in diffusers"
    );
    command->add_flag("--json", options->json, "Show it as JSON");
    command->footer(
        "Examples:\n"
        "  tessera tokens \"a (red:1.3) boat, [dawn:dusk:0.5]\"\n"
        "  tessera tokens \"a boat BREAK by the sea\" --json | jq .tokens\n\n"
        "Of a word that takes several tokens these have | between them."
    );
    command->callback([options, &action] {
        action = [options]() -> Result<ExitCode> {
            TESSERA_ASSIGN(const auto read, read_prompt(*options));
            options->json ? show_json(read) : show_text(read);
            return ExitCode::kDone;
        };
    });
}

}  // namespace tessera::cli
