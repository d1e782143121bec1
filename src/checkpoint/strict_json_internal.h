#pragma once

#include "base/result.h"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tessera {

using JsonScalar =
    std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, std::string_view>;

/// Walks through a JSON object without building it. Refuses what check_json refuses; derived
/// classes see the rest, and refuse() what they do not like. Whole numbers that are not negative
/// arrive as uint64; those too large for it arrive as double.
class StrictJson : private nlohmann::json_sax<nlohmann::json> {
  public:
    explicit StrictJson(std::size_t max_depth) : max_depth_(max_depth) {}

    /// kCorrupt with the first thing wrong.
    [[nodiscard]] Status read(std::string_view text);

  protected:
    virtual bool on_scalar(const JsonScalar&) { return true; }
    virtual bool on_key(std::string&) { return true; }
    /// After the start, so depth() counts the new level; and before the end, so it still does.
    virtual bool on_object_start() { return true; }
    virtual bool on_object_end() { return true; }
    virtual bool on_array_start() { return true; }
    virtual bool on_array_end() { return true; }

    /// Objects and arrays that are open: 1 in the outermost object.
    [[nodiscard]] std::size_t depth() const { return keys_.size(); }

    /// Ends the walk with this error; returns false for the callback to return.
    bool refuse(tl::unexpected<Error> error);

  private:
    bool null() final { return scalar(std::monostate()); }
    bool boolean(bool value) final { return scalar(value); }
    bool number_integer(number_integer_t value) final { return scalar(value); }
    bool number_unsigned(number_unsigned_t value) final { return scalar(value); }
    bool number_float(number_float_t value, const string_t&) final { return scalar(value); }
    bool string(string_t& value) final { return scalar(std::string_view(value)); }
    bool binary(binary_t&) final { return false; }
    bool start_object(std::size_t) final;
    bool key(string_t& name) final;
    bool end_object() final;
    bool start_array(std::size_t) final;
    bool end_array() final;
    bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&)
        final;

    bool scalar(const JsonScalar& value);
    bool open_level();

    std::size_t max_depth_;
    std::vector<std::set<std::string>> keys_;  // one set per open level; arrays leave theirs empty
    Status outcome_;
};

}  // namespace tessera
