#pragma once

#include "base/clock.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace tessera {

/// Bytes, written "20GiB".
struct ByteSize {
    std::uint64_t bytes = 0;

    auto operator<=>(const ByteSize&) const = default;
};

inline constexpr ByteSize kKiB{1ULL << 10U};
inline constexpr ByteSize kMiB{1ULL << 20U};
inline constexpr ByteSize kGiB{1ULL << 30U};
[[nodiscard]] constexpr ByteSize operator*(std::uint64_t count, ByteSize unit) {
    return {count * unit.bytes};
}

// Every default of the farm stands here. What each field means is said once, in the table of keys
// (keys.cpp), from which the documentation and `tessera config check` take it. An empty path or
// text and a 0 where a limit would stand mean "not set", unless the key says otherwise.

struct ServerConfig {
    std::string listen = "127.0.0.1";
    int port = 7860;
    std::filesystem::path data;
    std::filesystem::path tls_certificate;
    std::filesystem::path tls_key;
    std::string keys = "auto";
    std::vector<std::string> hosts;
    std::vector<std::string> cors_origins;
    int io_threads = 1;
    int handler_threads = 4;
    int max_connections = 4096;
    ByteSize max_upload = 20 * kMiB;
    ByteSize max_bodies = 512 * kMiB;
    ByteSize max_header = 32 * kKiB;
    ByteSize stream_backlog = 64 * kKiB;
    Duration header_timeout = std::chrono::seconds(10);
    Duration body_timeout = std::chrono::seconds(30);
    Duration idle_timeout = std::chrono::seconds(75);
    Duration ping_interval = std::chrono::seconds(15);
    Duration stop_grace = std::chrono::seconds(20);
    double requests_per_second = 50.0;
    double request_burst = 200.0;

    bool operator==(const ServerConfig&) const = default;
};

struct FarmConfig {
    Duration lease = std::chrono::seconds(30);
    Duration heartbeat = std::chrono::seconds(5);
    Duration link_grace = std::chrono::milliseconds(500);
    std::string policy = "earliest_finish";
    Duration ageing_step = std::chrono::seconds(60);
    Duration tenant_quantum = std::chrono::seconds(10);
    double model_quantum_swaps = 8.0;
    int keep_off_failures = 3;
    int own_failures = 3;
    int infrastructure_losses = 20;
    Duration retry_first_pause = std::chrono::seconds(1);
    Duration retry_longest_pause = std::chrono::minutes(5);

    bool operator==(const FarmConfig&) const = default;
};

struct WorkerConfig {
    std::string server;
    std::filesystem::path authorities;
    std::filesystem::path token_file;
    std::string node;
    bool local = true;
    int processes = 1;
    int slots = 1;
    int threads = 0;
    ByteSize memory_budget;
    double checkpoint_share = 0.1;
    Duration checkpoint_least = std::chrono::seconds(2);
    Duration patience = std::chrono::seconds(60);
    Duration drain_timeout = std::chrono::minutes(10);
    std::string metrics_listen = "127.0.0.1";
    int metrics_port = 0;

    bool operator==(const WorkerConfig&) const = default;
};

struct StoreConfig {
    std::filesystem::path folder;
    ByteSize max_size;
    ByteSize min_free = 1 * kGiB;
    Duration orphan_grace = std::chrono::hours(24);
    Duration sweep_interval = std::chrono::minutes(10);
    Duration keep_age{};
    ByteSize keep_size;
    int keep_jobs = 0;

    bool operator==(const StoreConfig&) const = default;
};

/// For one tenant each, but for the last; see TenantLimits.
struct LimitsConfig {
    int max_side = 8192;
    std::int64_t max_pixels = std::int64_t{8192} * 8192;
    int max_steps = 200;
    int max_count = 1000;
    double max_cost = 50'000.0;
    int max_queued_tasks = 10'000;
    double max_queued_cost = 200'000.0;
    int max_queued_tasks_of_all = 100'000;

    bool operator==(const LimitsConfig&) const = default;
};

struct TraceConfig {
    std::string endpoint;

    bool operator==(const TraceConfig&) const = default;
};

struct LogConfig {
    std::string level = "info";
    std::string format = "auto";
    bool prompts = false;

    bool operator==(const LogConfig&) const = default;
};

struct Config {
    ServerConfig server;
    FarmConfig farm;
    WorkerConfig worker;
    StoreConfig store;
    LimitsConfig limits;
    TraceConfig trace;
    LogConfig log;

    bool operator==(const Config&) const = default;
};

}  // namespace tessera
