#include "base/file.h"
#include "base/number.h"
#include "imaging/codec.h"
#include "storage/object_store.h"
#include "tessera/commands.h"
#include "tessera/farm_client.h"
#include "tessera/interrupt.h"
#include "tessera/job_watch.h"
#include "tessera/terminal.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>

namespace tessera::cli {
namespace {

using Json = nlohmann::ordered_json;

struct SubmitArguments {
    FarmChoice farm;
    std::string prompt;
    std::string negative_prompt;
    std::string model;
    std::string sampler;
    std::string schedule;
    std::string size;
    std::string hires;
    std::string seed;
    std::optional<int> steps;
    std::optional<double> cfg;
    std::optional<double> strength;
    bool restore = false;
    int count = 1;
    std::string init;
    std::string mask;
    std::string format;
    std::optional<int> quality;
    std::string priority;
    std::string key;
    std::string tag;
    std::vector<std::string> fields;
    bool wait = false;
    std::string out;
    bool json = false;
};

/// JOB/NUMBER.
bool names_picture(std::string_view text) {
    const auto slash = std::min(text.find('/'), text.size());
    return is_job_id(text.substr(0, slash)) && slash < text.size() &&
           read_number<unsigned>(text.substr(slash + 1));
}

/// A file is uploaded; anything else is what the API takes.
Result<std::string> reference(FarmClient& client, const std::string& given) {
    std::error_code error;
    if (!std::filesystem::is_regular_file(given, error)) {
        if (is_sha256(given) || names_picture(given)) {
            return given;
        }
        return fail(
            ErrorKind::kNotFound,
            "no file {}; a picture is a file, an upload's SHA-256, or JOB/NUMBER",
            given
        );
    }
    const DecodeLimits limits;
    TESSERA_ASSIGN(const auto file, read_file(given, limits.max_bytes));
    TESSERA_ASSIGN(const auto answer, client.upload(as_bytes(file)));
    return nlohmann::json::parse(answer, nullptr, false).value("sha256", "");
}

template <class Value>
void put(Json& body, const char* field, const Value& value) {
    if constexpr (requires { value.has_value(); }) {
        if (value) {
            body[field] = *value;
        }
    } else if (!value.empty()) {
        body[field] = value;
    }
}

Result<Json> body_of(const SubmitArguments& arguments, FarmClient& client) {
    Json body;
    put(body, "prompt", arguments.prompt);
    put(body, "negative_prompt", arguments.negative_prompt);
    put(body, "model", arguments.model);
    put(body, "sampler", arguments.sampler);
    put(body, "schedule", arguments.schedule);
    put(body, "size", arguments.size);
    put(body, "hires", arguments.hires);
    put(body, "seed", arguments.seed);
    put(body, "steps", arguments.steps);
    put(body, "cfg", arguments.cfg);
    put(body, "strength", arguments.strength);
    put(body, "format", arguments.format);
    put(body, "quality", arguments.quality);
    put(body, "priority", arguments.priority);
    put(body, "idempotency_key", arguments.key);
    put(body, "tag", arguments.tag);
    if (arguments.restore) {
        body["restore"] = true;
    }
    body["count"] = arguments.count;
    if (!arguments.init.empty()) {
        TESSERA_ASSIGN(body["init"], reference(client, arguments.init));
    }
    if (!arguments.mask.empty()) {
        TESSERA_ASSIGN(body["mask"], reference(client, arguments.mask));
    }
    for (const std::string& field : arguments.fields) {
        const auto equals = field.find('=');
        if (equals == std::string::npos) {
            return fail(ErrorKind::kInvalidArgument, "--field {} has no value", field);
        }
        const std::string value = field.substr(equals + 1);
        const auto parsed = Json::parse(value, nullptr, false);
        body[field.substr(0, equals)] = parsed.is_discarded() ? Json(value) : parsed;
    }
    return body;
}

Status wait_for(
    const SubmitArguments& arguments, const std::string& job, const std::stop_token& stop
) {
    auto ended = watch_jobs(arguments.farm, {job}, {arguments.prompt}, stop);
    if (!ended && ended.error().kind == ErrorKind::kCancelled && stop.stop_requested()) {
        std::fprintf(
            stderr,
            "job %s goes on: tessera watch %s, tessera cancel %s\n",
            job.c_str(),
            job.c_str(),
            job.c_str()
        );
    }
    return ended;
}

Result<ExitCode> run(const SubmitArguments& arguments) {
    const Interrupt interrupt;
    TESSERA_ASSIGN(auto client, FarmClient::open(arguments.farm));
    TESSERA_ASSIGN(const auto body, body_of(arguments, client));
    TESSERA_ASSIGN(const auto answer, client.post("/api/v1/jobs", body.dump(), interrupt.token()));
    const auto accepted = nlohmann::json::parse(answer, nullptr, false);
    const std::string job = accepted.is_object() ? accepted.value("id", "") : "";
    if (!is_job_id(job)) {
        return fail(ErrorKind::kUnavailable, "{} answers without a job's id", client.url());
    }
    if (arguments.json) {
        std::printf("%s\n", answer.c_str());
    } else if (arguments.out.empty()) {
        std::printf("%s\n", job.c_str());
    }
    std::fflush(stdout);
    for (const auto& remark : accepted.value("remarks", nlohmann::json::array())) {
        std::fprintf(stderr, "note: %s\n", printable_line(remark.get<std::string>()).c_str());
    }
    if (arguments.wait || !arguments.out.empty()) {
        TESSERA_TRY(wait_for(arguments, job, interrupt.token()));
    }
    if (!arguments.out.empty()) {
        TESSERA_TRY(save_pictures(client, job, arguments.out));
    }
    return ExitCode::kDone;
}

}  // namespace

void add_submit(CLI::App& program, Action& action) {
    auto arguments = std::make_shared<SubmitArguments>();
    CLI::App* command = program.add_subcommand("submit", "Hand a farm a job");
    command->footer(
        "Examples:\n"
        "  tessera submit \"a lighthouse by the sea at dawn\" --count 4 --out pictures\n"
        "  tessera submit \"a boat\" --size 512x512 --priority interactive --wait\n"
        "  tessera submit --field kind=upscale --init boat.png --field scale=4\n\n"
        "Prints the job's id; tessera watch ID shows how it goes."
    );
    command->add_option("prompt", arguments->prompt, "What to paint");
    const auto add = [&](const char* name, auto& value, const char* help) {
        command->add_option(name, value, help);
    };
    add("-n,--negative", arguments->negative_prompt, "What to leave out");
    add("-m,--model", arguments->model, "One of the farm's models");
    add("--sampler", arguments->sampler, "See tessera samplers");
    add("--schedule", arguments->schedule, "The noise schedule");
    add("--size", arguments->size, "Such as 512x768");
    add("--hires", arguments->hires, "A second, larger pass: 2, or 1024x1024");
    add("--seed", arguments->seed, "A number; -1 for a random one");
    add("--steps", arguments->steps, "Steps of the sampler");
    add("--cfg", arguments->cfg, "Guidance scale");
    add("--init", arguments->init, "A picture to begin with: a file, or JOB/NUMBER");
    add("--mask", arguments->mask, "White where it is painted anew");
    add("--strength", arguments->strength, "How much of the picture is painted anew, 0 to 1");
    command->add_flag("--restore", arguments->restore, "Repair the result");
    add("--count", arguments->count, "Pictures, each with the next seed");
    add("--format", arguments->format, "png, jpeg or webp");
    add("--quality", arguments->quality, "Of jpeg and webp, 1 to 100");
    add("--priority", arguments->priority, "batch, normal or interactive");
    add("--key", arguments->key, "Idempotency key: saying the same again makes no second job");
    add("--tag", arguments->tag, "A name to find the job by");
    command->add_option("--field", arguments->fields, "Any other field of the API: --field eta=0.5")
        ->allow_extra_args(false);
    command->add_flag("--wait", arguments->wait, "Show how it goes until it ends");
    add("--out", arguments->out, "Wait, and save the pictures into this folder");
    command->add_flag("--json", arguments->json, "Print the server's answer");
    add_farm_options(*command, arguments->farm);
    command->callback([arguments, &action] { action = [arguments] { return run(*arguments); }; });
}

}  // namespace tessera::cli
