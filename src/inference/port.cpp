#include "inference/port.h"

#include <fmt/ranges.h>

#include <limits>
#include <map>

namespace tessera {
namespace {

const char* words(ElementType type) {
    return type == ElementType::kFloat ? "floats" : "64-bit integers";
}

std::string shape_text(const Port& port) {
    std::vector<std::string> parts;
    for (std::size_t i = 0; i < port.shape.size(); ++i) {
        const bool named = i < port.symbols.size() && !port.symbols[i].empty();
        if (port.shape[i] >= 0) {
            parts.push_back(std::to_string(port.shape[i]));
        } else {
            parts.push_back(named ? port.symbols[i] : "?");
        }
    }
    return fmt::format("[{}]", fmt::join(parts, ", "));
}

/// -1 when the product does not fit or a dimension is not positive.
std::int64_t checked_count(const Shape& shape) {
    std::int64_t count = 1;
    for (const std::int64_t size : shape) {
        if (size <= 0 || count > std::numeric_limits<std::int64_t>::max() / size) {
            return -1;
        }
        count *= size;
    }
    return count;
}

bool fits(const Port& port, const Shape& shape) {
    if (shape.size() != port.shape.size()) {
        return false;
    }
    for (std::size_t i = 0; i < shape.size(); ++i) {
        if (port.shape[i] >= 0 && port.shape[i] != shape[i]) {
            return false;
        }
    }
    return true;
}

/// The first port that gave a named dimension its size.
struct Bound {
    std::int64_t size;
    std::string_view port;
};
using Bindings = std::map<std::string_view, Bound>;

Status bind_symbols(const Port& port, const Shape& shape, Bindings& bindings) {
    for (std::size_t i = 0; i < shape.size() && i < port.symbols.size(); ++i) {
        if (port.shape[i] >= 0 || port.symbols[i].empty()) {
            continue;
        }
        const auto [bound, is_new] = bindings.emplace(port.symbols[i], Bound{shape[i], port.name});
        if (!is_new && bound->second.size != shape[i]) {
            return fail(
                ErrorKind::kInvalidArgument,
                "the dimension \"{}\" is {} in input \"{}\" but {} in input \"{}\"",
                port.symbols[i],
                bound->second.size,
                bound->second.port,
                shape[i],
                port.name
            );
        }
    }
    return {};
}

Status check(const Port& port, const Input& input) {
    if (input.type() != port.type) {
        return fail(
            ErrorKind::kInvalidArgument,
            "input \"{}\" takes {}, not {}",
            port.name,
            words(port.type),
            words(input.type())
        );
    }
    if (!fits(port, input.shape())) {
        return fail(
            ErrorKind::kInvalidArgument,
            "input \"{}\" has the shape {}; it takes {}",
            port.name,
            input.shape(),
            shape_text(port)
        );
    }
    const std::int64_t count = checked_count(input.shape());
    if (count < 0) {
        return fail(
            ErrorKind::kInvalidArgument,
            "input \"{}\" has the impossible shape {}",
            port.name,
            input.shape()
        );
    }
    if (static_cast<std::uint64_t>(count) != input.value_count()) {
        return fail(
            ErrorKind::kInvalidArgument,
            "input \"{}\" of shape {} needs {} values but has {}",
            port.name,
            input.shape(),
            count,
            input.value_count()
        );
    }
    return {};
}

}  // namespace

std::span<const float> Input::floats() const {
    return floats_ != nullptr ? std::span<const float>(floats_->values) : std::span<const float>();
}

std::span<const std::int64_t> Input::ids() const {
    return ids_ != nullptr ? std::span<const std::int64_t>(ids_->values)
                           : std::span<const std::int64_t>();
}

Result<std::vector<std::size_t>> match_inputs(
    std::span<const Port> ports, std::span<const Input> inputs
) {
    constexpr auto kNone = std::numeric_limits<std::size_t>::max();
    std::vector<std::size_t> order(ports.size(), kNone);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        std::size_t port = 0;
        while (port < ports.size() && ports[port].name != inputs[i].port()) {
            ++port;
        }
        if (port == ports.size()) {
            std::vector<std::string_view> names;
            for (const Port& known : ports) {
                names.emplace_back(known.name);
            }
            return fail(
                ErrorKind::kInvalidArgument,
                "there is no input \"{}\"; the inputs are {}",
                inputs[i].port(),
                fmt::join(names, ", ")
            );
        }
        if (order[port] != kNone) {
            return fail(
                ErrorKind::kInvalidArgument, "input \"{}\" is given twice", inputs[i].port()
            );
        }
        order[port] = i;
    }
    Bindings bindings;
    for (std::size_t port = 0; port < ports.size(); ++port) {
        if (order[port] == kNone) {
            return fail(ErrorKind::kInvalidArgument, "input \"{}\" is missing", ports[port].name);
        }
        const Input& input = inputs[order[port]];
        TESSERA_TRY(check(ports[port], input));
        TESSERA_TRY(bind_symbols(ports[port], input.shape(), bindings));
    }
    return order;
}

}  // namespace tessera
