#pragma once

#include "api/answers.h"
#include "base/result.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tessera::api {

inline constexpr std::size_t kMaxJsonDepth = 32;
inline constexpr std::size_t kMaxJsonValues = 100'000;

/// How a body is written.
enum class BodyFormat : std::uint8_t { kJson, kMessagePack };

/// By its Content-Type; none at all is JSON. kUnsupported names what may be sent.
[[nodiscard]] Result<BodyFormat> body_format(std::string_view content_type);

/// A JSON object of a request, read field by field. Each `read` leaves its target alone when the
/// field is absent or null, or when anything was wrong before; the first thing that is wrong is
/// kept and given by `finish`. Objects within it share that. One thread.
///
///     JsonObject body = …;
///     body.read("steps", spec.render.steps);
///     TESSERA_TRY(body.finish());
class JsonObject {
  public:
    /// kInvalidArgument for what is no object, not well-formed, not UTF-8, nested too deeply, has
    /// too many values, a key twice or a number that is not finite: strangers' bytes are welcome.
    [[nodiscard]] static Result<JsonObject> parse(BodyFormat format, std::string_view body);

    void read(std::string_view name, std::string& value);
    void read(std::string_view name, bool& value);
    /// Also numbers such as 20.0.
    void read(std::string_view name, int& value);
    void read(std::string_view name, std::int64_t& value);
    void read(std::string_view name, std::uint64_t& value);
    void read(std::string_view name, double& value);
    void read(std::string_view name, std::vector<std::string>& value);
    template <class T>
    void read(std::string_view name, std::optional<T>& value) {
        T read_value{};
        if (has(name) && (read(name, read_value), is_good())) {
            value = std::move(read_value);
        }
    }
    /// A text, or a number as text: for what people write either way ("seed").
    void read_text_or_number(std::string_view name, std::string& value);
    [[nodiscard]] std::optional<JsonObject> object(std::string_view name);
    [[nodiscard]] std::vector<JsonObject> objects(std::string_view name);

    /// There and not null. Counts as a look at it.
    [[nodiscard]] bool has(std::string_view name) const;
    [[nodiscard]] bool is_text(std::string_view name) const;
    [[nodiscard]] std::vector<std::string> names() const;
    /// As JSON text, whatever it was written in.
    [[nodiscard]] std::string dump() const;

    /// Something is wrong with the field: "steps: <why>".
    void refuse(std::string_view name, const std::string& why);
    [[nodiscard]] bool is_good() const;
    /// The first thing that was wrong.
    [[nodiscard]] tl::expected<void, FieldError> finish() const;
    /// Also when there are fields, here or further within, that nobody looked at: with the nearest
    /// of the names that were.
    [[nodiscard]] tl::expected<void, FieldError> finish_strictly() const;

  private:
    struct Node;
    explicit JsonObject(std::shared_ptr<Node> node) : node_(std::move(node)) {}

    std::shared_ptr<Node> node_;
};

}  // namespace tessera::api
