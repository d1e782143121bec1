#include "api/json_tree_internal.h"
#include "base/utf8.h"

#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tessera::api {
namespace {

using Json = nlohmann::json;

/// Builds the tree from the parser's events. Both parsers call themselves for each level, so depth
/// is bounded here, while they read.
class TreeBuilder final : public nlohmann::json_sax<Json> {
  public:
    TreeBuilder(std::size_t max_depth, std::size_t max_values)
        : max_depth_(max_depth), max_values_(max_values) {}

    bool null() override { return add(nullptr); }
    bool boolean(bool value) override { return add(value); }
    bool number_integer(number_integer_t value) override { return add(value); }
    bool number_unsigned(number_unsigned_t value) override { return add(value); }
    bool number_float(number_float_t value, const string_t& /*text*/) override {
        return std::isfinite(value) ? add(value) : refuse("a number is not finite");
    }
    bool string(string_t& value) override {
        return check_utf8(value) ? add(std::move(value)) : refuse("a text is not UTF-8");
    }
    bool binary(binary_t& /*value*/) override { return refuse("bytes have no place in it"); }

    bool start_object(std::size_t /*size*/) override { return open(Json::object()); }
    bool start_array(std::size_t /*size*/) override { return open(Json::array()); }
    bool end_object() override { return close(); }
    bool end_array() override { return close(); }

    bool key(string_t& name) override {
        if (!check_utf8(name)) {
            return refuse("a key is not UTF-8");
        }
        if (open_.back()->contains(name)) {
            return refuse(fmt::format("the key \"{}\" occurs twice", name.substr(0, 64)));
        }
        key_ = std::move(name);
        return true;
    }

    bool parse_error(
        std::size_t position, const std::string& /*token*/, const nlohmann::detail::exception& error
    ) override {
        // 406: a number that no double can hold.
        return refuse(
            error.id == 406 ? "a number is too large" : fmt::format("at byte {}", position)
        );
    }

    [[nodiscard]] const std::optional<std::string>& why_not() const { return why_not_; }
    [[nodiscard]] Json take() { return std::move(root_); }

  private:
    bool refuse(std::string why) {
        if (!why_not_) {
            why_not_ = std::move(why);
        }
        return false;
    }

    bool add(Json value) { return place(std::move(value)) != nullptr; }

    Json* place(Json value) {
        if (++values_ > max_values_) {
            refuse(fmt::format("it has more than {} values", max_values_));
            return nullptr;
        }
        if (open_.empty()) {
            root_ = std::move(value);
            return &root_;
        }
        Json& parent = *open_.back();
        if (parent.is_array()) {
            parent.push_back(std::move(value));
            return &parent.back();
        }
        return &(parent[key_] = std::move(value));
    }

    bool open(Json empty) {
        if (open_.size() == max_depth_) {
            return refuse(fmt::format("it is nested more than {} levels deep", max_depth_));
        }
        Json* const placed = place(std::move(empty));
        if (placed == nullptr) {
            return false;
        }
        open_.push_back(placed);  // nothing is added beside it before it is closed: it stays there
        return true;
    }

    bool close() {
        open_.pop_back();
        return true;
    }

    const std::size_t max_depth_;
    const std::size_t max_values_;
    std::size_t values_ = 0;
    Json root_;
    std::vector<Json*> open_;
    std::string key_;
    std::optional<std::string> why_not_;
};

}  // namespace

Result<Json> read_json_tree(
    bool is_message_pack, std::string_view body, std::size_t max_depth, std::size_t max_values
) {
    const std::string_view name = is_message_pack ? "MessagePack" : "JSON";
    // The JSON parser takes a NUL for the end of its input, whatever follows.
    if (!is_message_pack && body.find('\0') != std::string_view::npos) {
        return fail(
            ErrorKind::kInvalidArgument,
            "the body is no valid JSON: at byte {}",
            body.find('\0') + 1
        );
    }
    TreeBuilder builder(max_depth, max_values);
    const auto format =
        is_message_pack ? Json::input_format_t::msgpack : Json::input_format_t::json;
    nlohmann::json_sax<Json>* const events = &builder;
    const bool complete = Json::sax_parse(body.begin(), body.end(), events, format);
    if (builder.why_not() || !complete) {
        return fail(
            ErrorKind::kInvalidArgument,
            "the body is no valid {}: {}",
            name,
            builder.why_not().value_or("it ends too early")
        );
    }
    return builder.take();
}

}  // namespace tessera::api
