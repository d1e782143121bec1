#include "goldens/upscaler_goldens.h"

#include "goldens/golden_case.h"
#include "models/rrdb_net.h"
#include "models/srvgg_net_compact.h"

#include <set>

namespace tessera {
namespace {

namespace fs = std::filesystem;

Result<OnnxModel> write_upscaler(const Weights& weights, GraphDialect dialect) {
    if (RrdbNetConfig::recognises(weights)) {
        TESSERA_ASSIGN(const auto config, RrdbNetConfig::read(weights));
        return write_rrdb_net(config, weights, dialect);
    }
    TESSERA_ASSIGN(const auto config, SrvggNetCompactConfig::read(weights));
    return write_srvgg_net_compact(config, weights, dialect);
}

/// The reference whose name the network's begins with; empty: none.
std::string reference_of(const GoldenCase& golden, std::string network) {
    while (!network.empty() && !golden.has(network + ".input")) {
        const auto end = network.rfind('_');
        network.resize(end == std::string::npos ? 0 : end);
    }
    return network;
}

Result<Tensor> run(
    const fs::path& file, const Tensor& input, GraphDialect dialect, const GoldenEngine& engine
) {
    TESSERA_ASSIGN(const auto weights, Weights::open(file));
    const ModelSource source{"upscaler", "", [&] { return write_upscaler(weights, dialect); }};
    TESSERA_ASSIGN(const auto network, engine.engine->load(source));
    const std::vector<Input> inputs{{"image", input}};
    TESSERA_ASSIGN(auto outputs, network->run(inputs));
    return std::move(outputs.front());
}

}  // namespace

std::vector<GoldenRow> check_upscalers(
    const std::string& name,
    const fs::path& folder,
    const std::set<fs::path>& files,
    const GoldenEngine& engine
) {
    std::vector<GoldenRow> rows;
    for (const fs::path& file : files) {
        for (const auto& [dialect, suffix] :
             {std::pair{GraphDialect::kOrtCpu, ""}, std::pair{GraphDialect::kOnnx, " (export)"}}) {
            const std::string network = file.stem().string();
            GoldenCase golden(
                fmt::format("{} {}{}", name, network, suffix), folder, "expected.safetensors"
            );
            const std::string reference = reference_of(golden, network);
            if (reference.empty()) {
                golden.fail(network, "there is no reference for it");
            } else if (const auto output = golden.take(network, run(file, golden.floats(reference + ".input"), dialect, engine))) {
                golden.compare(reference + ".output", *output, kSingleNetwork);
            }
            auto more = golden.take_rows();
            rows.insert(rows.end(), more.begin(), more.end());
        }
    }
    return rows;
}

}  // namespace tessera
