#include "models/config_reader.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace tessera {

struct ConfigReader::Json {
    nlohmann::json value;

    /// Null when the key is absent or null.
    [[nodiscard]] const nlohmann::json* find(const char* key) const {
        const auto entry = value.find(key);
        return entry == value.end() || entry->is_null() ? nullptr : &*entry;
    }
};

ConfigReader::ConfigReader(std::string_view json_text) : json_(std::make_unique<Json>()) {
    constexpr int kMaxDepth = 16;
    const auto shallow = [](int depth, nlohmann::json::parse_event_t, nlohmann::json&) {
        return depth < kMaxDepth;
    };
    json_->value = nlohmann::json::parse(json_text, shallow, /*allow_exceptions=*/false);
    if (!json_->value.is_object()) {
        json_->value = nlohmann::json::object();
        fail_with(ErrorKind::kCorrupt, "the configuration is not a JSON object");
    }
}

ConfigReader::~ConfigReader() = default;

void ConfigReader::fail_with(ErrorKind kind, std::string message) {
    if (!error_) {
        error_ = Error{kind, std::move(message)};
    }
}

Status ConfigReader::status() const {
    return error_ ? Status(tl::unexpected(*error_)) : Status();
}

bool ConfigReader::has(const char* key) const {
    return json_->find(key) != nullptr;
}

bool ConfigReader::is_null(const char* key) const {
    const auto entry = json_->value.find(key);
    return entry != json_->value.end() && entry->is_null();
}

int ConfigReader::integer(const char* key, int fallback, int low, int high) {
    const auto* value = json_->find(key);
    if (value == nullptr) {
        return fallback;
    }
    if (!value->is_number_integer() || value->get<std::int64_t>() < low ||
        value->get<std::int64_t>() > high) {
        fail_with(
            ErrorKind::kInvalidArgument,
            fmt::format(
                "{} is {}, expected an integer from {} to {}", key, value->dump(), low, high
            )
        );
        return fallback;
    }
    return value->get<int>();
}

double ConfigReader::number(const char* key, double fallback) {
    const auto* value = json_->find(key);
    if (value == nullptr) {
        return fallback;
    }
    if (!value->is_number()) {
        fail_with(
            ErrorKind::kInvalidArgument,
            fmt::format("{} is {}, expected a number", key, value->dump())
        );
        return fallback;
    }
    return value->get<double>();
}

bool ConfigReader::flag(const char* key, bool fallback) {
    const auto* value = json_->find(key);
    if (value == nullptr) {
        return fallback;
    }
    if (!value->is_boolean()) {
        fail_with(
            ErrorKind::kInvalidArgument,
            fmt::format("{} is {}, expected true or false", key, value->dump())
        );
        return fallback;
    }
    return value->get<bool>();
}

std::string ConfigReader::text(const char* key, std::string_view fallback) {
    const auto* value = json_->find(key);
    if (value == nullptr) {
        return std::string(fallback);
    }
    if (!value->is_string()) {
        fail_with(
            ErrorKind::kInvalidArgument,
            fmt::format("{} is {}, expected a text", key, value->dump())
        );
        return std::string(fallback);
    }
    return value->get<std::string>();
}

std::vector<std::string> ConfigReader::texts(const char* key) {
    std::vector<std::string> list;
    const auto* value = json_->find(key);
    if (value == nullptr || !value->is_array() || value->size() > 64) {
        fail_with(ErrorKind::kInvalidArgument, fmt::format("{} must be a list of texts", key));
        return list;
    }
    for (const auto& entry : *value) {
        if (!entry.is_string()) {
            fail_with(ErrorKind::kInvalidArgument, fmt::format("{} must be a list of texts", key));
            return {};
        }
        list.push_back(entry.get<std::string>());
    }
    return list;
}

std::vector<int> ConfigReader::integer_list(const char* key, int low, int high) {
    const auto* value = json_->find(key);
    const auto good = [&](const nlohmann::json& entry) {
        return entry.is_number_integer() && entry.get<std::int64_t>() >= low &&
               entry.get<std::int64_t>() <= high;
    };
    if (value == nullptr || !value->is_array() || value->empty() || value->size() > 64 ||
        !std::all_of(value->begin(), value->end(), good)) {
        fail_with(
            ErrorKind::kInvalidArgument,
            fmt::format("{} must be a list of integers from {} to {}", key, low, high)
        );
        return {};
    }
    return value->get<std::vector<int>>();
}

std::vector<int> ConfigReader::integers(
    const char* key, std::size_t count, int fallback, int low, int high
) {
    const auto* value = json_->find(key);
    if (value == nullptr || !value->is_array()) {
        return std::vector<int>(count, integer(key, fallback, low, high));
    }
    auto list = integer_list(key, low, high);
    if (list.size() != count) {
        fail_with(
            ErrorKind::kInvalidArgument,
            fmt::format(
                "{} has {} entries, expected one for each of {} blocks", key, list.size(), count
            )
        );
        list.assign(count, fallback);
    }
    return list;
}

std::vector<bool> ConfigReader::flags(const char* key, std::size_t count, bool fallback) {
    const auto* value = json_->find(key);
    if (value == nullptr || !value->is_array()) {
        return std::vector<bool>(count, flag(key, fallback));
    }
    const auto is_flag = [](const nlohmann::json& entry) { return entry.is_boolean(); };
    if (value->size() != count || !std::all_of(value->begin(), value->end(), is_flag)) {
        fail_with(
            ErrorKind::kInvalidArgument,
            fmt::format("{} must be true or false for each of {} blocks", key, count)
        );
        return std::vector<bool>(count, fallback);
    }
    return value->get<std::vector<bool>>();
}

void ConfigReader::expect_absent(const char* key) {
    if (const auto* value = json_->find(key)) {
        fail_with(
            ErrorKind::kUnsupported, fmt::format("{} {} is not supported", key, value->dump())
        );
    }
}

void ConfigReader::expect_flag(const char* key, bool only) {
    if (flag(key, only) != only) {
        fail_with(ErrorKind::kUnsupported, fmt::format("{} {} is not supported", key, !only));
    }
}

void ConfigReader::expect_text(const char* key, std::initializer_list<std::string_view> allowed) {
    const auto value = text(key, *allowed.begin());
    if (std::find(allowed.begin(), allowed.end(), value) == allowed.end()) {
        fail_with(ErrorKind::kUnsupported, fmt::format("{} \"{}\" is not supported", key, value));
    }
}

}  // namespace tessera
