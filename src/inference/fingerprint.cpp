#include "inference/fingerprint.h"

#include "base/hash.h"
#include "inference/cpu_features.h"
#include "inference/session_internal.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>

namespace tessera {
namespace {

/// "NVIDIA H200, driver 580.159.03" as the kernel module tells it.
std::string gpu_features() {
    const auto value_after = [](const std::filesystem::path& file, std::string_view key) {
        std::ifstream lines(file);
        for (std::string line; std::getline(lines, line);) {
            if (const auto at = line.find(key); at != std::string::npos) {
                const auto first = line.find_first_not_of(" \t", at + key.size());
                return first == std::string::npos ? std::string() : line.substr(first);
            }
        }
        return std::string();
    };
    std::string model = "unknown GPU";
    std::error_code error;
    for (const auto& gpu : std::filesystem::directory_iterator("/proc/driver/nvidia/gpus", error)) {
        model = value_after(gpu.path() / "information", "Model:");
        break;
    }
    return model + ", driver " + value_after("/proc/driver/nvidia/version", "Kernel Module");
}

}  // namespace

std::string Fingerprint::text() const {
    return fmt::format(
        "graph-writer={}; runtime={}; session={}; shapes={}; precision={}; provider={}; cpu={}",
        graph_writer,
        runtime,
        session,
        shapes,
        precision,
        provider,
        cpu
    );
}

std::string Fingerprint::hash() const {
    return FastHash().add(text()).hex();
}

Fingerprint this_fingerprint(Provider provider) {
    return {
        .graph_writer = std::to_string(kGraphWriterVersion),
        .runtime = fmt::format("{} ({})", Ort::GetVersionString(), Ort::GetBuildInfoString()),
        .session = session_settings(),
        .shapes = "dynamic",
        .precision = "fp32",
        .provider = provider == Provider::kCpu ? "cpu" : "cuda (" + gpu_features() + ")",
        .cpu = cpu_features(),
    };
}

}  // namespace tessera
