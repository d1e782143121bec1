#pragma once

#include "base/result.h"
#include "config/config.h"
#include "config/load.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tessera {

/// Words from the environment or the command line: of any type that can be read out of them.
struct UntypedText {
    std::string text;
};
/// A value of a kind that no key has: "a date".
struct OtherValue {
    std::string kind;
};
/// What a source says, before a key makes something of it.
using ConfigValue = std::variant<
    bool,
    std::int64_t,
    double,
    std::string,
    std::vector<std::string>,
    UntypedText,
    OtherValue>;

/// A key: declared once, in keys.cpp.
struct ConfigKey {
    std::string name;
    std::string type;
    std::string allowed;
    std::string help;
    /// Sets it, or says what is wrong with the value. Relative paths are taken from `base`.
    std::function<Status(Config&, const ConfigValue&, const std::filesystem::path& base)> set;
    /// Its value as TOML.
    std::function<std::string(const Config&)> show;

    [[nodiscard]] std::string_view section() const {
        return std::string_view(name).substr(0, name.find('.'));
    }
    [[nodiscard]] std::string environment() const;
};

[[nodiscard]] std::span<const ConfigKey> config_keys();
[[nodiscard]] const ConfigKey* find_key(std::string_view name);

/// What a TOML file says of one key, known or not.
struct TomlEntry {
    std::string name;  ///< "server.port"; of a key outside all sections: "port"
    ConfigValue value;
    std::string where;  ///< "farm.toml:3:8"
};
/// Every key of the text in its order; or why and where it is no TOML.
[[nodiscard]] tl::expected<std::vector<TomlEntry>, ConfigProblem> read_toml(
    std::string_view text, const std::string& name
);

}  // namespace tessera
