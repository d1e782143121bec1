#pragma once

#include "base/result.h"
#include "config/config.h"
#include "config/load.h"
#include "tessera/farm_server.h"
#include "tessera/locations.h"
#include "tessera/worker_program.h"

#include <string>
#include <utility>
#include <vector>

namespace CLI {  // NOLINT(readability-identifier-naming): the name is the library's
class App;
}

namespace tessera::cli {

/// Where a command's configuration comes from.
struct ConfigChoice {
    std::string file;               ///< empty: $TESSERA_CONFIG, if it is set
    std::vector<std::string> sets;  ///< "server.port=8080"
    /// From options of their own, such as --port; they go over `sets`.
    std::vector<std::pair<std::string, std::string>> options;
};

/// --config and --set.
void add_config_options(CLI::App& command, ConfigChoice& choice);
/// An option that is another way to say a key.
void add_config_option(
    CLI::App& command,
    ConfigChoice& choice,
    const std::string& option,
    const std::string& key,
    const std::string& help
);

/// kInvalidArgument for a --set that has no form.
[[nodiscard]] Result<ConfigSources> config_sources(const ConfigChoice& choice);
/// The same loaded; kInvalidArgument with what is wrong first.
[[nodiscard]] Result<Config> read_config(const ConfigChoice& choice);

/// What the server and the workers make of it. kInvalidArgument names the key.
[[nodiscard]] Result<FarmServerOptions> server_options(
    const Config& config, const Locations& locations
);
[[nodiscard]] Result<WorkerSetup> worker_setup(const Config& config);

/// Whether nothing but this machine can reach that address.
[[nodiscard]] bool is_loopback(const std::string& address);

}  // namespace tessera::cli
