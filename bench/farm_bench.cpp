// The farm without rendering: what submitting, queueing, dispatching and delivering cost, over HTTP
// and WebSocket at full durability. Clients, server and worker share the process and its cores.
//
//   farm_bench FOLDER
#include "api/job_json_internal.h"
#include "base/hash.h"
#include "http/client.h"
#include "job/codec.h"
#include "noop_farm.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>

namespace {

using namespace tessera;
using namespace tessera::bench;
using std::chrono::steady_clock;

constexpr int kClients = 32;

double seconds_since(steady_clock::time_point begun) {
    return std::chrono::duration<double>(steady_clock::now() - begun).count();
}

/// So many jobs of one picture, by so many clients that wait for each answer.
void submit(const NoopFarm& farm, std::size_t jobs) {
    std::atomic<std::size_t> next = 0;
    std::vector<std::jthread> clients;
    for (int i = 0; i < kClients; ++i) {
        clients.emplace_back([&] {
            auto client = http::Client::open(farm.url()).value();
            http::Request request;
            request.method = "POST";
            request.target = "/api/v1/jobs";
            request.fields.set("Content-Type", "application/json");
            request.body = noop_job();
            while (next++ < jobs) {
                const auto answer = client.send(request);
                if (!answer || answer->status != 202) {
                    fmt::print(stderr, "{}\n", answer ? answer->body : answer.error().message);
                    std::exit(1);
                }
            }
        });
    }
}

void measure_throughput(const std::filesystem::path& folder) {
    constexpr std::size_t kJobs = 10'000;
    NoopRunner runner(std::chrono::microseconds(0));
    NoopFarm farm(folder);
    farm.work(runner, 16);
    const auto begun = steady_clock::now();
    submit(farm, kJobs);
    const double submitted = seconds_since(begun);
    farm.wait_for_ended(kJobs);
    fmt::print(
        "{} jobs by {} HTTP clients: {:.0f} jobs/s accepted, {:.0f} jobs/s to their ends\n",
        kJobs,
        kClients,
        kJobs / submitted,
        kJobs / seconds_since(begun)
    );
}

void measure_dispatch(const std::filesystem::path& folder) {
    constexpr std::size_t kJobs = 12'000;
    constexpr std::size_t kMeasured = 2'000;
    NoopRunner runner(std::chrono::milliseconds(20));
    NoopFarm farm(folder);
    submit(farm, kJobs);
    farm.work(runner, 8);
    farm.wait_for_ended(kMeasured);
    auto waits = runner.waits_in_milliseconds();
    std::ranges::sort(waits);
    const auto at = [&](double share) {
        return waits.at(static_cast<std::size_t>(static_cast<double>(waits.size() - 1) * share));
    };
    fmt::print(
        "dispatch with 10,000 queued, from a slot's end of a task to its next: p50 {:.2f} ms, "
        "p99 {:.2f} ms, worst {:.2f} ms of {}\n",
        at(0.5),
        at(0.99),
        waits.back(),
        waits.size()
    );
}

std::size_t resident_bytes() {
    std::ifstream statm("/proc/self/statm");
    std::size_t pages = 0;
    statm >> pages >> pages;
    return pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

/// Streams that nobody reads: each must cost its backlog at most.
void measure_streams(const std::filesystem::path& folder) {
    constexpr std::size_t kStreams = 2'000;
    constexpr std::size_t kJobs = 2'000;
    NoopRunner runner(std::chrono::microseconds(0));
    NoopFarm farm(folder);
    farm.work(runner, 16);
    submit(farm, 100);
    farm.wait_for_ended(100);
    const auto before = resident_bytes();
    std::vector<int> sockets;
    const std::string request =
        "GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n";
    for (std::size_t i = 0; i < kStreams; ++i) {
        const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(farm.port());
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        std::array<char, 12> status{};
        const bool is_open =
            ::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 &&
            ::send(socket, request.data(), request.size(), MSG_NOSIGNAL) > 0 &&
            ::recv(socket, status.data(), status.size(), MSG_WAITALL) > 0;
        if (!is_open || !std::string_view(status.data(), status.size()).ends_with("200")) {
            fmt::print(stderr, "a stream did not open: {}\n", status.data());
            std::exit(1);
        }
        sockets.push_back(socket);
    }
    const auto open = resident_bytes();
    const auto begun = steady_clock::now();
    submit(farm, kJobs);
    farm.wait_for_ended(100 + kJobs);
    const double took = seconds_since(begun);
    fmt::print(
        "{} event streams that nobody reads: {:.0f} MB more when open, {:.0f} MB more after {} "
        "jobs, "
        "which went at {:.0f} jobs/s\n",
        kStreams,
        static_cast<double>(open - before) / 1e6,
        static_cast<double>(resident_bytes() - before) / 1e6,
        kJobs,
        kJobs / took
    );
    for (const int socket : sockets) {
        ::close(socket);
    }
}

/// What one encoding of the same thing takes: bytes, and microseconds to write and to read.
void print_encoding(
    const char* what,
    const char* format,
    const std::function<std::string()>& write,
    const std::function<bool(const std::string&)>& read
) {
    constexpr int kTimes = 2'000;
    const std::string bytes = write();
    auto begun = steady_clock::now();
    for (int i = 0; i < kTimes; ++i) {
        if (write().size() != bytes.size()) {
            std::exit(1);
        }
    }
    const double writing = seconds_since(begun) * 1e6 / kTimes;
    begun = steady_clock::now();
    for (int i = 0; i < kTimes; ++i) {
        if (!read(bytes)) {
            std::exit(1);
        }
    }
    const double reading = seconds_since(begun) * 1e6 / kTimes;
    fmt::print(
        "{:8} {:16} {:5} bytes  write {:6.2f} us  read {:6.2f} us\n",
        what,
        format,
        bytes.size(),
        writing,
        reading
    );
}

void print_json_encodings(const char* what, const api::OrderedJson& json) {
    print_encoding(
        what,
        "JSON",
        [&] { return json.dump(); },
        [](const std::string& bytes) {
            return !api::OrderedJson::parse(bytes, nullptr, false).is_discarded();
        }
    );
    print_encoding(
        what,
        "MessagePack",
        [&] {
            const auto packed = api::OrderedJson::to_msgpack(json);
            return std::string(packed.begin(), packed.end());
        },
        [](const std::string& bytes) {
            return !api::OrderedJson::from_msgpack(bytes, true, false).is_discarded();
        }
    );
}

void compare_encodings() {
    JobSpec spec;
    spec.render.prompt = "a lighthouse by the sea at dawn, oil on canvas";
    spec.render.negative_prompt = "blurry, low quality";
    spec.render.model = "tessera-tiny";
    spec.render.sampler = "Euler a";
    spec.render.steps = 20;
    spec.render.cfg = 7.0;
    spec.render.seed = "4221883710";
    spec.render.size = "512x512";
    spec.tenant = "anna";
    JobPlan plan;
    plan.spec = spec;
    print_json_encodings("job", api::spec_json(spec));
    print_encoding(
        "job",
        "Protocol Buffers",
        [&] { return encode(plan); },
        [](const std::string& bytes) { return decode_job_plan(bytes).has_value(); }
    );

    TaskResult result;
    result.object = {sha256_hex(as_bytes("a picture")), 412'345, "image/png"};
    result.fingerprint = std::string(64, 'f');
    result.recipe = api::spec_json(spec).dump();
    result.times = {{"encode", 0.012}, {"steps", 1.733}, {"decode", 0.211}};
    result.width = 512;
    result.height = 512;
    api::OrderedJson json;
    json["sha256"] = result.object.sha256;
    json["bytes"] = result.object.bytes;
    json["media_type"] = result.object.media_type;
    json["fingerprint"] = result.fingerprint;
    json["recipe"] = result.recipe;
    for (const auto& time : result.times) {
        json["times"][time.stage] = time.seconds;
    }
    json["width"] = result.width;
    json["height"] = result.height;
    print_json_encodings("result", json);
    print_encoding(
        "result",
        "Protocol Buffers",
        [&] { return encode(result); },
        [](const std::string& bytes) { return decode_task_result(bytes).has_value(); }
    );
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        fmt::print(stderr, "farm_bench FOLDER\n");
        return 2;
    }
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
    const std::filesystem::path folder = argv[1];
    measure_throughput(folder);
    measure_dispatch(folder);
    measure_streams(folder);
    compare_encodings();
    std::filesystem::remove_all(folder);
    return 0;
}
