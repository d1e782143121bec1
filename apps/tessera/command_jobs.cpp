#include "tessera/commands.h"
#include "tessera/farm_client.h"
#include "tessera/interrupt.h"
#include "tessera/job_watch.h"
#include "tessera/quantity.h"
#include "tessera/terminal.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <cstdio>
#include <memory>

namespace tessera::cli {
namespace {

using Json = nlohmann::json;

struct JobsArguments {
    FarmChoice farm;
    std::vector<std::string> jobs;
    std::string state;
    int limit = 20;
    std::string out;
    bool json = false;
};

void print_line(const std::string& line) {
    std::printf("%s\n", printable_line(line).c_str());
}

std::string job_line(const Json& job) {
    const Json spec = job.value("spec", Json::object());
    return fmt::format(
        "{}  {:<9} {:>3}/{:<3} {:>3.0f} %  {:<11}  {}",
        job.value("id", ""),
        job.value("state", ""),
        job.value("pictures_done", 0),
        job.value("pictures", 0),
        100.0 * job.value("fraction", 0.0),
        spec.value("priority", "normal"),
        spec.value("prompt", spec.value("kind", ""))
    );
}

Result<ExitCode> list(const JobsArguments& arguments) {
    TESSERA_ASSIGN(auto client, FarmClient::open(arguments.farm));
    std::string target = fmt::format("/api/v1/jobs?limit={}", arguments.limit);
    if (!arguments.state.empty()) {
        target += "&state=" + path_segment(arguments.state);
    }
    TESSERA_ASSIGN(const auto text, client.get(target));
    if (arguments.json) {
        std::printf("%s\n", text.c_str());
        return ExitCode::kDone;
    }
    const Json answer = Json::parse(text, nullptr, false);
    const Json jobs = answer.value("jobs", Json::array());
    for (const Json& job : jobs) {
        print_line(job_line(job));
    }
    if (jobs.empty()) {
        print_line("there are no jobs; tessera submit hands one in");
    }
    return ExitCode::kDone;
}

void show_unit(const Json& unit) {
    std::string line = fmt::format(
        "  {:>3}  {:<9} {:>3.0f} %",
        unit.value("unit", 0) + 1,
        unit.value("state", ""),
        100.0 * unit.value("fraction", 0.0)
    );
    if (unit.contains("image")) {
        const Json& image = unit["image"];
        line += fmt::format(
            "  {}x{}  {}  {}",
            image.value("width", 0),
            image.value("height", 0),
            format_bytes(image.value("bytes", std::uint64_t{0})),
            image.value("href", "")
        );
    }
    if (unit.contains("worker")) {
        line += "  on " + unit.value("worker", "");
    }
    print_line(line);
    for (const Json& time : unit.value("times", Json::array())) {
        print_line(fmt::format(
            "         {:<10} {}",
            time.value("stage", ""),
            format_seconds(time.value("seconds", 0.0))
        ));
    }
    if (unit.contains("failure")) {
        print_line("       " + unit["failure"].value("message", ""));
    }
}

Result<ExitCode> show(const JobsArguments& arguments) {
    TESSERA_ASSIGN(auto client, FarmClient::open(arguments.farm));
    for (const std::string& id : arguments.jobs) {
        TESSERA_ASSIGN(const auto text, client.get("/api/v1/jobs/" + path_segment(id)));
        if (arguments.json) {
            std::printf("%s\n", text.c_str());
            continue;
        }
        const Json job = Json::parse(text, nullptr, false);
        print_line(job_line(job));
        for (const char* time : {"submitted", "started", "ended"}) {
            if (job.contains(time)) {
                print_line(fmt::format("  {:<9} {}", time, job.value(time, "")));
            }
        }
        if (job.contains("waits_because")) {
            print_line("  waits: " + job.value("waits_because", ""));
        }
        for (const Json& remark : job.value("remarks", Json::array())) {
            print_line("  note: " + remark.get<std::string>());
        }
        for (const Json& unit : job.value("units", Json::array())) {
            show_unit(unit);
        }
    }
    return ExitCode::kDone;
}

using Ask = Result<std::string> (*)(FarmClient& client, const std::string& path);

/// The same request for each of the jobs, also when one is refused; the first refusal counts.
Result<ExitCode> ask_each(const JobsArguments& arguments, Ask ask) {
    TESSERA_ASSIGN(auto client, FarmClient::open(arguments.farm));
    std::vector<Error> errors;
    for (const std::string& id : arguments.jobs) {
        if (auto asked = ask(client, "/api/v1/jobs/" + path_segment(id)); !asked) {
            errors.push_back(std::move(asked).error());
        }
    }
    if (errors.empty()) {
        return ExitCode::kDone;
    }
    if (errors.size() > 1) {
        errors.front().message += fmt::format(" (and {} more failed)", errors.size() - 1);
    }
    return tl::unexpected(std::move(errors.front()));
}

Result<ExitCode> cancel(const JobsArguments& arguments) {
    return ask_each(arguments, [](FarmClient& client, const std::string& path) {
        return client.post(path + "/cancel", "");
    });
}

Result<ExitCode> retry(const JobsArguments& arguments) {
    return ask_each(arguments, [](FarmClient& client, const std::string& path) {
        return client.post(path + "/retry", "");
    });
}

Result<ExitCode> forget(const JobsArguments& arguments) {
    return ask_each(arguments, [](FarmClient& client, const std::string& path) {
        return client.remove(path);
    });
}

Result<ExitCode> watch(const JobsArguments& arguments) {
    const Interrupt interrupt;
    TESSERA_TRY(watch_jobs(arguments.farm, arguments.jobs, {}, interrupt.token()));
    if (!arguments.out.empty()) {
        TESSERA_ASSIGN(auto client, FarmClient::open(arguments.farm));
        for (const std::string& id : arguments.jobs) {
            TESSERA_TRY(save_pictures(client, id, arguments.out));
        }
    }
    return ExitCode::kDone;
}

using Run = Result<ExitCode> (*)(const JobsArguments&);

/// A subcommand about jobs; with `named`, about those that are named.
CLI::App* add(
    CLI::App& program,
    Action& action,
    const char* name,
    const char* help,
    const std::shared_ptr<JobsArguments>& arguments,
    bool named,
    Run run
) {
    CLI::App* command = program.add_subcommand(name, help);
    if (named) {
        command->add_option("job", arguments->jobs, "Ids of jobs")->required();
    }
    add_farm_options(*command, arguments->farm);
    command->callback([arguments, &action, run] {
        action = [arguments, run] { return run(*arguments); };
    });
    return command;
}

}  // namespace

void add_jobs(CLI::App& program, Action& action) {
    const auto fresh = [] { return std::make_shared<JobsArguments>(); };
    auto arguments = fresh();
    CLI::App* command =
        add(program, action, "jobs", "List a farm's jobs, newest first", arguments, false, list);
    command->footer(
        "Examples:\n"
        "  tessera jobs\n"
        "  tessera jobs --state failed --limit 100"
    );
    command->add_option("--state", arguments->state, "queued, running, done, failed or cancelled");
    command->add_option("--limit", arguments->limit, "How many")->capture_default_str();
    command->add_flag("--json", arguments->json, "Print the server's answer");

    arguments = fresh();
    command = add(program, action, "show", "Show a job with its pictures", arguments, true, show);
    command->footer(
        "Examples:\n"
        "  tessera show ID\n"
        "  tessera show ID --json"
    );
    command->add_flag("--json", arguments->json, "Print the server's answer");

    arguments = fresh();
    command =
        add(program,
            action,
            "watch",
            "Show live how jobs go, a bar for each picture",
            arguments,
            true,
            watch);
    command->footer(
        "Examples:\n"
        "  tessera watch ID\n"
        "  tessera watch ID ID --out pictures"
    );
    command->add_option("--out", arguments->out, "Save the pictures into this folder at the end");

    command = add(program, action, "cancel", "Stop jobs within a step", fresh(), true, cancel);
    command->footer("Example:\n  tessera cancel ID ID");
    command = add(program, action, "retry", "Give failed jobs another life", fresh(), true, retry);
    command->footer("Example:\n  tessera retry ID");
    command = add(
        program, action, "forget", "Delete ended jobs with their pictures", fresh(), true, forget
    );
    command->footer("Example:\n  tessera forget ID ID");
}

}  // namespace tessera::cli
