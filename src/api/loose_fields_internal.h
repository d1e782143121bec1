#pragma once

#include "api/api_fault.h"
#include "base/bytes.h"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tessera::api {

using Json = nlohmann::json;

/// The body of a request as a JSON object. kInvalidArgument when it is none, is deeper than 32,
/// says a key twice in one object, or is not UTF-8. An empty body is an empty object where `empty`
/// allows it.
[[nodiscard]] Checked<Json> parse_loose_body(std::string_view body, bool empty = false);

/// Reads fields of a JSON object as lenient clients' servers do: null counts as absent, "20" as 20
/// and 1 as true. Fields that nobody asks for are passed over. Every fault names its field.
class LooseFields {
  public:
    /// The object must outlive it.
    explicit LooseFields(const Json& object) : object_(object) {}

    [[nodiscard]] bool has(const std::string& name) const { return find(name) != nullptr; }
    /// Null when it is absent.
    [[nodiscard]] const Json* find(const std::string& name) const;

    // kInvalidArgument when it is something else. Absent: nothing.
    [[nodiscard]] Checked<std::optional<std::string>> text(const std::string& name) const;
    [[nodiscard]] Checked<std::optional<std::int64_t>> whole(const std::string& name) const;
    [[nodiscard]] Checked<std::optional<double>> real(const std::string& name) const;
    [[nodiscard]] Checked<std::optional<bool>> flag(const std::string& name) const;
    [[nodiscard]] Checked<std::vector<std::string>> texts(const std::string& name) const;
    /// Within the bounds, both of them possible.
    [[nodiscard]] Checked<std::optional<int>> whole(const std::string& name, int least, int most)
        const;
    [[nodiscard]] Checked<std::optional<double>> real(
        const std::string& name, double least, double most
    ) const;
    /// One of these.
    [[nodiscard]] Checked<std::optional<std::string>> choice(
        const std::string& name, std::initializer_list<std::string_view> choices
    ) const;
    /// A seed as RenderSettings has it; what is negative is random.
    [[nodiscard]] Checked<std::optional<std::string>> seed(const std::string& name) const;
    /// A picture as base 64 or data URL; see read_picture_text.
    [[nodiscard]] Checked<std::optional<Bytes>> picture(const std::string& name) const;

    /// The first of these that is there; the first of all if none is.
    [[nodiscard]] std::string first_of(std::initializer_list<std::string_view> names) const;

  private:
    const Json& object_;
};

/// The picture that a text stands for.
[[nodiscard]] Checked<Bytes> picture_from(const std::string& field, std::string_view text);

}  // namespace tessera::api
