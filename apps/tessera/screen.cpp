#include "tessera/screen.h"

#include "tessera/terminal.h"

#include <unistd.h>

#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <cwchar>
#include <map>
#include <string>
#include <utility>

// Last: it defines macros with everyday names.
#define NCURSES_NOMACROS
#define NCURSES_WIDECHAR 1
#include <ncurses.h>

namespace tessera::cli {
namespace {

constexpr short kRed = 1;

/// Escape stands for itself when nothing follows it so soon.
constexpr int kEscapeMilliseconds = 25;

attr_t attributes_of(BoardLine::Look look, bool colour) {
    switch (look) {
        case BoardLine::Look::kTitle:
            return A_BOLD;
        case BoardLine::Look::kHead:
            return A_UNDERLINE;
        case BoardLine::Look::kSelected:
            return A_REVERSE;
        case BoardLine::Look::kTrouble:
            return A_BOLD | (colour ? static_cast<attr_t>(COLOR_PAIR(kRed)) : attr_t{0});
        case BoardLine::Look::kFaint:
            return A_DIM;
        case BoardLine::Look::kPlain:
            break;
    }
    return A_NORMAL;
}

std::optional<Key> special(wint_t code) {
    static const std::map<wint_t, Key::Kind> keys{
        {KEY_UP, Key::Kind::kUp},
        {KEY_DOWN, Key::Kind::kDown},
        {KEY_PPAGE, Key::Kind::kPageUp},
        {KEY_NPAGE, Key::Kind::kPageDown},
        {KEY_HOME, Key::Kind::kHome},
        {KEY_END, Key::Kind::kEnd},
        {KEY_BTAB, Key::Kind::kBackTab},
        {KEY_ENTER, Key::Kind::kEnter},
        {KEY_BACKSPACE, Key::Kind::kBackspace},
        {KEY_RESIZE, Key::Kind::kResize},
    };
    const auto found = keys.find(code);
    return found == keys.end() ? std::nullopt : std::optional(Key{found->second, {}});
}

std::optional<Key> character(wint_t code) {
    constexpr wint_t kEscapeCode = 27;
    constexpr wint_t kDeleteCode = 127;
    switch (code) {
        case L'\t':
            return Key{Key::Kind::kTab, {}};
        case L'\n':
        case L'\r':
            return Key{Key::Kind::kEnter, {}};
        case L'\b':
        case kDeleteCode:
            return Key{Key::Kind::kBackspace, {}};
        case kEscapeCode:
            return Key{Key::Kind::kEscape, {}};
        default:
            break;
    }
    std::mbstate_t state{};
    std::string text(MB_CUR_MAX, '\0');
    const std::size_t length = std::wcrtomb(text.data(), static_cast<wchar_t>(code), &state);
    if (length == static_cast<std::size_t>(-1)) {
        return std::nullopt;
    }
    text.resize(length);
    return Key{Key::Kind::kCharacter, std::move(text)};
}

}  // namespace

Result<Screen> Screen::open() {
    const Terminal terminal = look_at_terminal(STDOUT_FILENO);
    if (!terminal.interactive || ::isatty(STDIN_FILENO) != 1) {
        return fail(
            ErrorKind::kUnsupported, "this is no terminal; tessera top --once prints one look"
        );
    }
    std::setlocale(LC_CTYPE, "");
    SCREEN* screen = ::newterm(nullptr, stdout, stdin);
    if (screen == nullptr) {
        const char* name = std::getenv("TERM");
        return fail(
            ErrorKind::kUnsupported,
            "the terminal '{}' (TERM) is not known here; tessera top --once prints one look",
            name == nullptr ? "" : name
        );
    }
    ::cbreak();
    ::noecho();
    ::curs_set(0);
    ::keypad(stdscr, true);
    ::set_escdelay(kEscapeMilliseconds);
    const bool colour = terminal.colour && ::has_colors() && ::start_color() == OK &&
                        ::use_default_colors() == OK && ::init_pair(kRed, COLOR_RED, -1) == OK;
    return Screen(screen, colour);
}

Screen::Screen(Screen&& other) noexcept
    : handle_(std::exchange(other.handle_, nullptr)), colour_(other.colour_) {}

Screen::~Screen() {
    if (handle_ != nullptr) {
        ::endwin();
        ::delscreen(static_cast<SCREEN*>(handle_));
    }
}

std::size_t Screen::columns() const {
    return static_cast<std::size_t>(::getmaxx(stdscr));
}

std::size_t Screen::rows() const {
    return static_cast<std::size_t>(::getmaxy(stdscr));
}

void Screen::show(const std::vector<BoardLine>& lines) {
    ::werase(stdscr);
    int row = 0;
    for (const BoardLine& line : lines) {
        ::wattrset(stdscr, static_cast<int>(attributes_of(line.look, colour_)));
        ::wmove(stdscr, row++, 0);
        ::waddstr(stdscr, line.text.c_str());
    }
    ::wattrset(stdscr, A_NORMAL);
    ::wrefresh(stdscr);
}

std::optional<Key> Screen::wait(std::chrono::milliseconds time) {
    ::wtimeout(stdscr, static_cast<int>(time.count()));
    wint_t code = 0;
    const int kind = ::wget_wch(stdscr, &code);
    if (kind == KEY_CODE_YES) {
        return special(code);
    }
    return kind == OK ? character(code) : std::nullopt;
}

}  // namespace tessera::cli
