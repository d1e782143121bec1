#include "tessera/commands.h"
#include "tessera/farm_client.h"
#include "tessera/farm_observer.h"
#include "tessera/interrupt.h"
#include "tessera/screen.h"
#include "tessera/terminal.h"
#include "tessera/top_board.h"

#include <CLI/CLI.hpp>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <memory>

namespace tessera::cli {
namespace {

/// How soon the screen hears of news and signals.
constexpr std::chrono::milliseconds kLook{100};

struct TopArguments {
    FarmChoice farm;
    double interval = 1.0;
    bool once = false;
};

Result<ExitCode> print_once(FarmClient& client, bool unicode) {
    TESSERA_ASSIGN(auto glance, glance_at(client));
    TopBoard board(client.url(), unicode);
    board.take(std::move(glance));
    const std::size_t columns = ::isatty(STDOUT_FILENO) == 1 ? terminal_columns(STDOUT_FILENO) : 0;
    for (const std::string& line : board.print(columns)) {
        std::printf("%s\n", line.c_str());
    }
    return ExitCode::kDone;
}

void hear(TopBoard& board, FarmObserver& observer) {
    FarmObserver::News news = observer.news();
    if (news.glance && !board.is_paused()) {
        board.take(*std::move(news.glance));
    }
    if (news.trouble) {
        board.set_trouble(*std::move(news.trouble));
    }
    if (news.message) {
        board.set_message(*std::move(news.message));
    }
}

Result<ExitCode> top(const TopArguments& arguments) {
    const Terminal terminal = look_at_terminal(STDOUT_FILENO);
    TESSERA_ASSIGN(auto client, FarmClient::open(arguments.farm));
    if (arguments.once) {
        return print_once(client, terminal.unicode);
    }
    const Interrupt interrupt;
    TopBoard board(client.url(), terminal.unicode);
    TESSERA_ASSIGN(Screen screen, Screen::open());
    FarmObserver observer(
        std::move(client),
        std::chrono::milliseconds(static_cast<std::int64_t>(arguments.interval * 1000.0))
    );
    while (!interrupt.token().stop_requested()) {
        hear(board, observer);
        screen.show(board.draw(screen.columns(), screen.rows()));
        const auto key = screen.wait(kLook);
        auto order = key ? board.press(*key) : std::nullopt;
        if (order && order->kind == BoardOrder::Kind::kQuit) {
            break;
        }
        if (order) {
            observer.order(*std::move(order));
        }
    }
    return ExitCode::kDone;
}

}  // namespace

void add_top(CLI::App& program, Action& action) {
    constexpr double kShortest = 0.2;
    constexpr double kLongest = 3600.0;
    auto arguments = std::make_shared<TopArguments>();
    CLI::App* command =
        program.add_subcommand("top", "Watch a farm live: queue, workers, jobs; drain and cancel");
    command->footer(
        "Press ? for its keys. Draining, and what others have, needs an administrator's key.\n\n"
        "Examples:\n"
        "  tessera top\n"
        "  tessera top --once\n"
        "  tessera top --server https://farm.example:7860 --interval 5"
    );
    command->add_option("--interval", arguments->interval, "Seconds between two looks")
        ->check(CLI::Range(kShortest, kLongest))
        ->capture_default_str();
    command->add_flag("--once", arguments->once, "Print one look, and end");
    add_farm_options(*command, arguments->farm);
    command->callback([arguments, &action] { action = [arguments] { return top(*arguments); }; });
}

}  // namespace tessera::cli
