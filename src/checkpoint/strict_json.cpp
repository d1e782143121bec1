#include "base/utf8.h"
#include "checkpoint/names.h"
#include "checkpoint/strict_json_internal.h"

namespace tessera {

Status StrictJson::read(std::string_view text) {
    if (auto valid = check_utf8(text); !valid) {
        return fail(ErrorKind::kCorrupt, "not valid JSON: {}", valid.error().message);
    }
    // The library takes a NUL for the end of its input, whatever follows.
    if (const auto nul = text.find('\0'); nul != std::string_view::npos) {
        return fail(ErrorKind::kCorrupt, "not valid JSON at byte {}", nul + 1);
    }
    keys_.clear();
    outcome_ = {};
    nlohmann::json_sax<nlohmann::json>* const events = this;
    const bool complete = nlohmann::json::sax_parse(text, events);
    if (outcome_ && !complete) {
        return fail(ErrorKind::kCorrupt, "not valid JSON");
    }
    return outcome_;
}

bool StrictJson::refuse(tl::unexpected<Error> error) {
    outcome_ = std::move(error);
    return false;
}

bool StrictJson::scalar(const JsonScalar& value) {
    if (depth() == 0) {
        return refuse(fail(ErrorKind::kCorrupt, "not a JSON object"));
    }
    return on_scalar(value);
}

bool StrictJson::open_level() {
    if (depth() == max_depth_) {
        return refuse(
            fail(ErrorKind::kCorrupt, "JSON is nested more than {} levels deep", max_depth_)
        );
    }
    keys_.emplace_back();
    return true;
}

bool StrictJson::start_object(std::size_t) {
    return open_level() && on_object_start();
}

bool StrictJson::key(string_t& name) {
    if (!keys_.back().insert(name).second) {
        return refuse(fail(ErrorKind::kCorrupt, "the key {} occurs twice", in_quotes(name)));
    }
    return on_key(name);
}

bool StrictJson::end_object() {
    const bool wanted = on_object_end();
    keys_.pop_back();
    return wanted;
}

bool StrictJson::start_array(std::size_t) {
    if (depth() == 0) {
        return refuse(fail(ErrorKind::kCorrupt, "not a JSON object"));
    }
    return open_level() && on_array_start();
}

bool StrictJson::end_array() {
    const bool wanted = on_array_end();
    keys_.pop_back();
    return wanted;
}

bool StrictJson::
    parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) {
    return refuse(fail(ErrorKind::kCorrupt, "not valid JSON at byte {}", position));
}

}  // namespace tessera
