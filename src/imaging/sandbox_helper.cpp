#include "imaging/sandbox_helper.h"

#include "imaging/sandbox_protocol.h"
#include "imaging/vips_setup.h"

#include <fcntl.h>
#include <glib.h>
#include <malloc.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <new>
#include <optional>
#include <span>
#include <thread>

namespace tessera {
namespace {

constexpr int kFailed = 1;
constexpr int kWrongUse = 2;

[[noreturn]] void run_out_of_memory() {
    ::_exit(kHelperOutOfMemory);
}

/// GLib aborts when memory is short, with a message that is the only sign of it.
void end_on_glib_error(const char*, GLogLevelFlags level, const char* message, void*) {
    if ((level & G_LOG_LEVEL_ERROR) != 0 && std::strstr(message, "failed to allocate") != nullptr) {
        run_out_of_memory();
    }
}

/// The request and the picture's file, mapped read-only. Nothing when standard input is not what a
/// SandboxedDecoder gives.
std::optional<std::span<const std::byte>> map_input() {
    constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
    struct stat info {};
    const int seals = ::fcntl(STDIN_FILENO, F_GET_SEALS);  // -1: not a memory file
    if (seals < 0 || (seals & kSeals) != kSeals || ::fstat(STDIN_FILENO, &info) != 0) {
        return std::nullopt;
    }
    const auto size = static_cast<std::size_t>(info.st_size);
    void* address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, STDIN_FILENO, 0);
    if (size < sizeof(DecodeRequest) || address == MAP_FAILED) {
        return std::nullopt;
    }
    return std::span(static_cast<const std::byte*>(address), size);
}

/// All that libvips and the C library would else ask of the system while they decode.
bool prepare_libraries() {
    // Arenas reserve much address space each, and to count processors a file would be opened.
    ::mallopt(M_ARENA_MAX, 1);
    // Colour profiles hold dates, and the time zone would be read when the first one comes.
    const bool is_set = ::clearenv() == 0 && ::setenv("TZ", "UTC0", 1) == 0;
    if (!is_set || !set_up_vips()) {
        return false;
    }
    ::tzset();
    // The first thread of a process sets signal handlers up that further ones find.
    std::thread([] {}).join();
    g_log_set_default_handler(end_on_glib_error, nullptr);
    std::set_new_handler(run_out_of_memory);
    return true;
}

bool write_all(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        const ssize_t count = ::write(STDOUT_FILENO, bytes.data(), bytes.size());
        if (count < 0 && errno != EINTR) {
            return false;
        }
        bytes = bytes.subspan(count < 0 ? 0 : static_cast<std::size_t>(count));
    }
    return true;
}

template <class T>
bool write_value(const T& value) {
    return write_all(std::as_bytes(std::span(&value, 1)));
}

bool decode_and_answer(ByteView file, const DecodeLimits& limits) {
    const auto format = check_picture_file(file, limits);
    if (!format) {
        return false;  // who asks has checked this
    }
    const auto image = decode_checked_file(file, *format, limits);
    if (!image) {
        const DecodeFailure& failure = image.error();
        return write_value(HelperAnswer{
            static_cast<std::uint32_t>(failure.kind), failure.width, failure.height, 0});
    }
    return write_value(HelperAnswer{
               HelperAnswer::kDecoded, image->width, image->height, image->channels}) &&
           write_all(std::as_bytes(std::span(image->pixels)));
}

}  // namespace

int serve_sandboxed_decoding() {
    const auto input = map_input();
    if (!input) {
        return kWrongUse;
    }
    DecodeRequest request;
    std::memcpy(&request, input->data(), sizeof(request));
    if (!prepare_libraries()) {
        return kFailed;
    }
    const auto strength = enter_sandbox(request.sandbox);
    if (!strength || !write_value(HelperGreeting{HelperGreeting::kMagic, *strength})) {
        return kFailed;
    }
    return decode_and_answer(input->subspan(sizeof(request)), request.decode) ? 0 : kFailed;
}

}  // namespace tessera
