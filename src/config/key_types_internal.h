#pragma once

#include "config/units.h"
#include "config/value_internal.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// How each type of a key is read, shown and bounded.
namespace tessera {

/// The least and the most of a number, both allowed.
template <class T>
struct Within {
    T least;
    T most;
};
/// A text out of these.
struct OneOf {
    std::vector<std::string> names;
};

/// kInvalidArgument when the value is of another type: what it is, and what is wanted.
template <class T>
[[nodiscard]] Result<T> read_as(const ConfigValue& value);
template <>
Result<bool> read_as(const ConfigValue& value);
template <>
Result<int> read_as(const ConfigValue& value);
template <>
Result<std::int64_t> read_as(const ConfigValue& value);
template <>
Result<double> read_as(const ConfigValue& value);
template <>
Result<std::string> read_as(const ConfigValue& value);
template <>
Result<std::filesystem::path> read_as(const ConfigValue& value);
template <>
Result<std::vector<std::string>> read_as(const ConfigValue& value);
template <>
Result<Duration> read_as(const ConfigValue& value);
template <>
Result<ByteSize> read_as(const ConfigValue& value);

[[nodiscard]] std::string toml_of(bool value);
[[nodiscard]] std::string toml_of(int value);
[[nodiscard]] std::string toml_of(std::int64_t value);
[[nodiscard]] std::string toml_of(double value);
[[nodiscard]] std::string toml_of(const std::string& value);
[[nodiscard]] std::string toml_of(const std::filesystem::path& value);
[[nodiscard]] std::string toml_of(const std::vector<std::string>& value);
[[nodiscard]] std::string toml_of(Duration value);
[[nodiscard]] std::string toml_of(ByteSize value);

template <class T>
inline constexpr std::string_view kTypeName = "";
template <>
inline constexpr std::string_view kTypeName<bool> = "true or false";
template <>
inline constexpr std::string_view kTypeName<int> = "integer";
template <>
inline constexpr std::string_view kTypeName<std::int64_t> = "integer";
template <>
inline constexpr std::string_view kTypeName<double> = "number";
template <>
inline constexpr std::string_view kTypeName<std::string> = "text";
template <>
inline constexpr std::string_view kTypeName<std::filesystem::path> = "path";
template <>
inline constexpr std::string_view kTypeName<std::vector<std::string>> = "list of texts";
template <>
inline constexpr std::string_view kTypeName<Duration> = "duration";
template <>
inline constexpr std::string_view kTypeName<ByteSize> = "size";

}  // namespace tessera
