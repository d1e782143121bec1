#pragma once

#include "base/result.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tessera {

/// Reads the options of a component's config.json. An absent or null key takes the default; the
/// first value of a wrong type, out of range or not supported is remembered, and `status()` tells
/// it by key. So a configuration is read as a plain list of fields.
class ConfigReader {
  public:
    explicit ConfigReader(std::string_view json_text);
    ~ConfigReader();
    ConfigReader(const ConfigReader&) = delete;
    ConfigReader& operator=(const ConfigReader&) = delete;

    /// `low` and `high` are inclusive.
    int integer(const char* key, int fallback, int low, int high);
    double number(const char* key, double fallback);
    bool flag(const char* key, bool fallback);
    std::string text(const char* key, std::string_view fallback);
    std::vector<std::string> texts(const char* key);

    /// A list of integers, or one integer for all of `count` entries.
    std::vector<int> integers(const char* key, std::size_t count, int fallback, int low, int high);
    std::vector<bool> flags(const char* key, std::size_t count, bool fallback);
    std::vector<int> integer_list(const char* key, int low, int high);

    /// Present and not null; present and null.
    [[nodiscard]] bool has(const char* key) const;
    [[nodiscard]] bool is_null(const char* key) const;

    /// Remembers kUnsupported unless the key is absent, null or `only`.
    void expect_absent(const char* key);
    void expect_flag(const char* key, bool only);
    void expect_text(const char* key, std::initializer_list<std::string_view> allowed);

    /// Remembers a failure of the caller's own.
    void fail_with(ErrorKind kind, std::string message);

    [[nodiscard]] Status status() const;

  private:
    struct Json;
    std::unique_ptr<Json> json_;
    std::optional<Error> error_;
};

}  // namespace tessera
