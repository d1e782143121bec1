#include "config/value_internal.h"

#include <toml++/toml.h>

#include <algorithm>
#include <optional>

namespace tessera {
namespace {

std::string where_is(const std::string& name, const toml::source_region& source) {
    return fmt::format("{}:{}:{}", name, source.begin.line, source.begin.column);
}

std::string kind_of(const toml::node& node) {
    switch (node.type()) {
        case toml::node_type::table:
            return "a table";
        case toml::node_type::array:
            return "a list of other things than texts";
        case toml::node_type::date:
        case toml::node_type::time:
        case toml::node_type::date_time:
            return "a date or time";
        default:
            return "something else";
    }
}

ConfigValue value_of(const toml::node& node) {
    if (const auto* const truth = node.as_boolean()) {
        return truth->get();
    }
    if (const auto* const whole = node.as_integer()) {
        return whole->get();
    }
    if (const auto* const real = node.as_floating_point()) {
        return real->get();
    }
    if (const auto* const text = node.as_string()) {
        return text->get();
    }
    const toml::array* const array = node.as_array();
    if (array != nullptr && (array->empty() || array->is_homogeneous(toml::node_type::string))) {
        std::vector<std::string> texts;
        for (const toml::node& element : *array) {
            texts.push_back(element.as_string()->get());
        }
        return texts;
    }
    return OtherValue{kind_of(node)};
}

}  // namespace

tl::expected<std::vector<TomlEntry>, ConfigProblem> read_toml(
    std::string_view text, const std::string& name
) {
    std::vector<TomlEntry> entries;
    std::vector<std::pair<toml::source_position, std::size_t>> order;
    const auto add = [&](std::string key, const toml::key& source, const toml::node& node) {
        order.emplace_back(source.source().begin, entries.size());
        entries.push_back({std::move(key), value_of(node), where_is(name, source.source())});
    };
    try {
        const toml::table file = toml::parse(text, name);
        for (const auto& [section, node] : file) {
            const toml::table* const table = node.as_table();
            if (table == nullptr) {
                add(std::string(section.str()), section, node);
                continue;
            }
            for (const auto& [key, inner] : *table) {
                add(fmt::format("{}.{}", section.str(), key.str()), key, inner);
            }
        }
    } catch (const toml::parse_error& error) {
        return tl::unexpected(ConfigProblem{
            where_is(name, error.source()),
            fmt::format("this is no TOML: {}", error.description()),
        });
    }
    std::ranges::sort(order, [](const auto& left, const auto& right) {
        return left.first < right.first;
    });
    std::vector<TomlEntry> sorted;
    sorted.reserve(entries.size());
    for (const auto& [position, index] : order) {
        sorted.push_back(std::move(entries[index]));
    }
    return sorted;
}

}  // namespace tessera
