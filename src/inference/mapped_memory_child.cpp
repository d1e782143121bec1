// The second process of a test: loads a network from an engine cache and prints by how many kB its
// anonymous memory grew (RssAnon in /proc/self/status). Fails unless the network came from there.
#include "inference/engine.h"

#include <fmt/format.h>

#include <fstream>
#include <iostream>

namespace {

std::int64_t anonymous_kilobytes() {
    std::ifstream status("/proc/self/status");
    std::string word;
    std::int64_t number = -1;
    while (status >> word && word != "RssAnon:") {
    }
    status >> number;
    return number;
}

}  // namespace

int main(int count, char** words) {
    if (count != 4) {
        std::cerr << "usage: mapped_memory_child CACHE NAME CONTENT_KEY\n";
        return 2;
    }
    const auto engine = tessera::Engine::create({.threads = 2, .cache_folder = words[1]});
    const tessera::ModelSource source{
        .name = words[2],
        .content_key = words[3],
        .build = []() -> tessera::Result<tessera::OnnxModel> {
            return tessera::fail(tessera::ErrorKind::kNotFound, "not in the cache");
        },
    };
    const std::int64_t before = anonymous_kilobytes();
    const auto network = engine ? (*engine)->load(source) : tl::unexpected(engine.error());
    if (!network || !(*network)->is_mapped()) {
        std::cerr << (network ? "not mapped" : network.error().message) << '\n';
        return 1;
    }
    std::cout << anonymous_kilobytes() - before << '\n';
    return 0;
}
