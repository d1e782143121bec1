#include "config/load.h"

#include "base/file.h"
#include "base/similar_name.h"
#include "config/value_internal.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

namespace tessera {
namespace {

constexpr std::string_view kPrefix = "TESSERA_";
constexpr std::uint64_t kLargestFile = 1U << 20U;

std::string unknown(std::string_view name, std::span<const std::string_view> known) {
    const std::string_view near = most_similar(name, known);
    return near.empty()
               ? fmt::format("there is no key '{}'; `tessera config check --list` shows all", name)
               : fmt::format("there is no key '{}'; did you mean '{}'?", name, near);
}

/// Puts one source over another, and remembers who said what.
class Loader {
  public:
    void set(
        const ConfigKey& key,
        const ConfigValue& value,
        const std::string& where,
        const std::filesystem::path& base
    ) {
        if (const Status status = key.set(loaded_.config, value, base); !status) {
            problem(where, fmt::format("{}: {}", key.name, status.error().message));
            return;
        }
        origins_[&key] = where;
    }
    void problem(std::string where, std::string message) {
        loaded_.problems.push_back({std::move(where), std::move(message)});
    }

    void take_toml(
        std::string_view text, const std::string& name, const std::filesystem::path& base
    );
    void take_file(const std::filesystem::path& file);
    void take_environment(const std::vector<std::pair<std::string, std::string>>& variables);
    void take_settings(const std::vector<std::pair<std::string, std::string>>& settings);
    /// What no key can see alone.
    void check_together();

    [[nodiscard]] LoadedConfig take() {
        for (const ConfigKey& key : config_keys()) {
            if (const auto origin = origins_.find(&key); origin != origins_.end()) {
                loaded_.origins.push_back({key.name, key.show(loaded_.config), origin->second});
            }
        }
        return std::move(loaded_);
    }

  private:
    /// Who is to be named for a key: where it was set, else the key itself.
    [[nodiscard]] std::string origin(std::string_view name) const {
        const auto found = origins_.find(find_key(name));
        return found == origins_.end() ? std::string(name) : found->second;
    }

    LoadedConfig loaded_;
    std::map<const ConfigKey*, std::string> origins_;
};

void Loader::take_toml(
    std::string_view text, const std::string& name, const std::filesystem::path& base
) {
    const auto entries = read_toml(text, name);
    if (!entries) {
        loaded_.problems.push_back(entries.error());
        return;
    }
    std::vector<std::string_view> known;
    std::set<std::string_view> sections;
    for (const ConfigKey& key : config_keys()) {
        known.push_back(key.name);
        sections.insert(key.section());
    }
    for (const TomlEntry& entry : *entries) {
        const ConfigKey* const key = find_key(entry.name);
        if (key != nullptr) {
            set(*key, entry.value, entry.where, base);
        } else if (sections.contains(entry.name)) {
            problem(
                entry.where,
                fmt::format("'{0}' is a section; write [{0}] above its keys", entry.name)
            );
        } else {
            problem(entry.where, unknown(entry.name, known));
        }
    }
}

void Loader::take_file(const std::filesystem::path& file) {
    const auto text = read_file(file, kLargestFile);
    if (!text) {
        problem(file.string(), text.error().message);
        return;
    }
    take_toml(*text, file.string(), file.parent_path());
}

void Loader::take_environment(const std::vector<std::pair<std::string, std::string>>& variables) {
    std::map<std::string, const ConfigKey*> keys;
    std::vector<std::string_view> known;
    std::set<std::string> prefixes;
    for (const ConfigKey& key : config_keys()) {
        const std::string variable = key.environment();
        known.push_back(keys.emplace(variable, &key).first->first);
        prefixes.insert(variable.substr(0, kPrefix.size() + key.section().size() + 1));
    }
    for (const auto& [name, value] : variables) {
        const bool is_ours = std::ranges::any_of(prefixes, [&name = name](const auto& prefix) {
            return name.starts_with(prefix);
        });
        if (!is_ours) {
            continue;
        }
        if (const auto key = keys.find(name); key != keys.end()) {
            set(*key->second, UntypedText{value}, name, {});
        } else {
            problem(name, unknown(name, known));
        }
    }
}

void Loader::take_settings(const std::vector<std::pair<std::string, std::string>>& settings) {
    std::vector<std::string_view> known;
    for (const ConfigKey& key : config_keys()) {
        known.push_back(key.name);
    }
    for (const auto& [name, value] : settings) {
        const std::string where = fmt::format("--set {}", name);
        if (const ConfigKey* const key = find_key(name)) {
            set(*key, UntypedText{value}, where, {});
        } else {
            problem(where, unknown(name, known));
        }
    }
}

void Loader::check_together() {
    const Config& config = loaded_.config;
    if (config.farm.heartbeat * 2 > config.farm.lease) {
        problem(
            origin("farm.heartbeat"),
            fmt::format(
                "farm.heartbeat is more than half of farm.lease ({}), so that one lost report "
                "loses "
                "the task",
                find_key("farm.lease")->show(config)
            )
        );
    }
    if (config.server.tls_certificate.empty() != config.server.tls_key.empty()) {
        problem(
            origin(config.server.tls_key.empty() ? "server.tls_certificate" : "server.tls_key"),
            "server.tls_certificate and server.tls_key go together: set both, or none"
        );
    }
    if (config.farm.retry_first_pause > config.farm.retry_longest_pause) {
        problem(
            origin("farm.retry_first_pause"),
            "farm.retry_first_pause is longer than farm.retry_longest_pause"
        );
    }
}

}  // namespace

LoadedConfig load_config(const ConfigSources& sources) {
    Loader loader;
    if (!sources.file.empty()) {
        loader.take_file(sources.file);
    }
    loader.take_environment(sources.environment);
    loader.take_settings(sources.settings);
    loader.check_together();
    return loader.take();
}

LoadedConfig load_config_text(std::string_view toml, const std::string& name) {
    Loader loader;
    loader.take_toml(toml, name, {});
    loader.check_together();
    return loader.take();
}

Result<Config> require_config(const ConfigSources& sources) {
    LoadedConfig loaded = load_config(sources);
    if (loaded.problems.empty()) {
        return std::move(loaded.config);
    }
    const ConfigProblem& first = loaded.problems.front();
    const std::size_t others = loaded.problems.size() - 1;
    return fail(
        ErrorKind::kInvalidArgument,
        "{}: {}{}",
        first.where,
        first.message,
        others == 0 ? std::string()
                    : fmt::format(" ({} more; `tessera config check` tells all)", others)
    );
}

std::vector<KeyDescription> describe_config() {
    const Config defaults{};
    std::vector<KeyDescription> descriptions;
    for (const ConfigKey& key : config_keys()) {
        descriptions.push_back({
            key.name,
            key.environment(),
            key.type,
            key.allowed,
            key.show(defaults),
            key.help,
        });
    }
    return descriptions;
}

std::string example_config() {
    const Config defaults{};
    std::string text;
    std::string_view section;
    for (const ConfigKey& key : config_keys()) {
        if (key.section() != section) {
            section = key.section();
            text += fmt::format("{}[{}]\n", text.empty() ? "" : "\n", section);
        }
        const std::string_view name = std::string_view(key.name).substr(section.size() + 1);
        text += fmt::format("# {}\n", key.help);
        if (!key.allowed.empty()) {
            text += fmt::format("# Allowed: {}.\n", key.allowed);
        }
        text += fmt::format("#{} = {}\n", name, key.show(defaults));
    }
    return text;
}

}  // namespace tessera
