#include "tessera/upscale_report.h"

#include "base/utf8.h"
#include "tessera/installed_upscalers.h"
#include "tessera/quantity.h"
#include "tessera/terminal.h"

#include <nlohmann/json.hpp>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace tessera::cli {
namespace {

using Json = nlohmann::ordered_json;

void print_json(const Json& json) {
    std::printf("%s\n", json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
    std::fflush(stdout);
}

void print_line(const std::string& line) {
    std::printf("%s\n", printable_line(line).c_str());
}

Json to_json(const Error& error) {
    return {{"kind", to_string(error.kind)}, {"message", error.message}};
}

Json to_json(const UpscaledPicture& picture) {
    Json json{
        {"path", picture.path.string()},
        {"source", picture.source},
        {"source_width", picture.from_width},
        {"source_height", picture.from_height},
        {"width", picture.record.width},
        {"height", picture.record.height},
        {"scale", picture.record.scale},
    };
    if (!picture.record.restorer.empty()) {
        json["restorer"] = picture.record.restorer;
    }
    if (!picture.record.upscaler.empty()) {
        json["upscaler"] = picture.record.upscaler;
    }
    if (picture.tile) {
        json["tile"] = *picture.tile;
    }
    constexpr double kMilliseconds = 1000.0;
    json["seconds"] = std::round(picture.seconds * kMilliseconds) / kMilliseconds;
    return json;
}

Json to_json(const InstalledUpscaler& upscaler) {
    Json json{
        {"name", upscaler.name}, {"file", upscaler.file.string()}, {"shipped", upscaler.shipped}};
    json["usable"] = upscaler.found.has_value();
    if (!upscaler.found) {
        json["problem"] = upscaler.found.error().message;
        return json;
    }
    json["architecture"] = upscaler.found->architecture();
    json["scale"] = upscaler.found->scale();
    json["bytes"] = upscaler.found->weights().total_bytes();
    return json;
}

std::string row(
    std::size_t name_columns,
    const std::string& name,
    const std::string& scale,
    const std::string& kind,
    const std::string& bytes,
    const std::string& file
) {
    return fmt::format(
        "{}  {:<5}  {:<15}  {:>7}  {}",
        fit_to_width(printable_line(name), name_columns),
        scale,
        kind,
        bytes,
        file
    );
}

void show_list(const std::vector<InstalledUpscaler>& upscalers) {
    std::size_t columns = std::string_view(kLanczosName).size();
    for (const InstalledUpscaler& upscaler : upscalers) {
        columns = std::max(columns, display_width(upscaler.name));
    }
    print_line(row(columns, "name", "scale", "kind", "weights", "file"));
    print_line(row(columns, kLanczosName, "any", "interpolation", "-", "-"));
    for (const InstalledUpscaler& upscaler : upscalers) {
        if (!upscaler.found) {
            print_line(fmt::format(
                "{}  not usable: {}",
                fit_to_width(printable_line(upscaler.name), columns),
                upscaler.found.error().message
            ));
            continue;
        }
        print_line(
            row(columns,
                upscaler.name,
                fmt::format("x{}", upscaler.found->scale()),
                upscaler.found->architecture(),
                format_bytes(upscaler.found->weights().total_bytes()),
                upscaler.file.string())
        );
    }
}

}  // namespace

void UpscaleReport::add(const UpscaledPicture& picture) {
    const UpscaleRecord& record = picture.record;
    progress_.rest();
    progress_.say(fmt::format(
        "{}x{} to {}x{} by {}, {}",
        picture.from_width,
        picture.from_height,
        record.width,
        record.height,
        record.restorer.empty()   ? record.upscaler
        : record.upscaler.empty() ? record.restorer
                                  : record.restorer + " and " + record.upscaler,
        format_seconds(picture.seconds)
    ));
    if (json_) {
        pictures_.push_back(picture);
    } else {
        std::printf("%s\n", picture.path.c_str());
        std::fflush(stdout);
    }
}

void UpscaleReport::add_failure(const std::string& source, Error error) {
    progress_.rest();
    if (count_ > 1) {
        progress_.say(fmt::format("left out: {}", error.message));
    }
    failures_.push_back({source, std::move(error)});
}

Status UpscaleReport::failures() const {
    if (failures_.empty()) {
        return {};
    }
    const Error& first = failures_.front().error;
    if (count_ == 1) {
        return tl::unexpected(first);
    }
    return fail(
        first.kind,
        "{} of {} pictures could not be upscaled; {}{}",
        failures_.size(),
        count_,
        failures_.size() == 1 ? "" : "the first is ",
        first.message
    );
}

void UpscaleReport::end(const Status& result) const {
    if (!json_) {
        return;
    }
    progress_.rest();
    Json json{{"pictures", Json::array()}};
    for (const UpscaledPicture& picture : pictures_) {
        json["pictures"].push_back(to_json(picture));
    }
    if (!failures_.empty()) {
        auto& failed = json["failed"] = Json::array();
        for (const Failure& failure : failures_) {
            failed.push_back({{"source", failure.source}, {"error", to_json(failure.error)}});
        }
    }
    if (!result) {
        json["error"] = to_json(result.error());
    }
    print_json(json);
}

void list_upscalers(const Locations& locations, bool json) {
    const auto upscalers = installed_upscalers(locations);
    if (json) {
        Json list{{"upscalers", Json::array()}};
        list["upscalers"].push_back({{"name", kLanczosName}, {"shipped", true}, {"usable", true}});
        for (const InstalledUpscaler& upscaler : upscalers) {
            list["upscalers"].push_back(to_json(upscaler));
        }
        print_json(list);
        return;
    }
    show_list(upscalers);
    if (::isatty(STDOUT_FILENO) == 1) {
        std::string places;
        for (const auto& folder : locations.models) {
            places += (places.empty() ? "" : " or ") + (folder / kUpscalersFolder).string();
        }
        print_line("");
        print_line(fmt::format("Further networks (.safetensors) go into {}.", places));
    }
}

}  // namespace tessera::cli
