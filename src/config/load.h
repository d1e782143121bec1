#pragma once

#include "base/result.h"
#include "config/config.h"

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tessera {

/// Where values come from; a later source goes over an earlier one: defaults, file, environment,
/// settings.
struct ConfigSources {
    std::filesystem::path file;  ///< TOML; empty: none
    /// Every variable of the environment. Those whose names begin with TESSERA_ and a section are
    /// ours: server.port is TESSERA_SERVER_PORT. Lists are written with commas between.
    std::vector<std::pair<std::string, std::string>> environment;
    /// From the command line: key ("server.port") and value, the later over the earlier.
    std::vector<std::pair<std::string, std::string>> settings;
};

struct ConfigProblem {
    std::string where;    ///< "farm.toml:3:8", "TESSERA_SERVER_PORT", "--set server.port"
    std::string message;  ///< one sentence, with the mend
};

/// A value that is not the default, and who said so.
struct ConfigOrigin {
    std::string key;
    std::string value;  ///< as TOML
    std::string where;
};

struct LoadedConfig {
    Config config;
    std::vector<ConfigOrigin> origins;  ///< in the order of describe_config
    std::vector<ConfigProblem> problems;
};

/// All that is wrong, in the order of the sources; keys with a problem have what was there before.
/// Relative paths in the file are taken from the file's folder.
[[nodiscard]] LoadedConfig load_config(const ConfigSources& sources);

/// For programs that go on only when nothing is wrong: kInvalidArgument with the first problem and
/// the number of others.
[[nodiscard]] Result<Config> require_config(const ConfigSources& sources);

/// The same of a TOML text; `name` stands for the file in problems.
[[nodiscard]] LoadedConfig load_config_text(std::string_view toml, const std::string& name);

/// One key, for documentation.
struct KeyDescription {
    std::string name;           ///< "server.port"
    std::string environment;    ///< "TESSERA_SERVER_PORT"
    std::string type;           ///< "integer", "duration", "list of texts", …
    std::string allowed;        ///< "1 to 65535", "text, json"; empty: anything of its type
    std::string default_value;  ///< as TOML
    std::string help;           ///< a sentence or two, with the unit where there is one
};

/// Every key there is, section by section.
[[nodiscard]] std::vector<KeyDescription> describe_config();

/// A TOML file with every key at its default and its help, all values commented out.
[[nodiscard]] std::string example_config();

}  // namespace tessera
