#include "tessera/upscale_metadata.h"

#include "imaging/infotext.h"

#include <nlohmann/json.hpp>

namespace tessera::cli {
namespace {

Infotext as_infotext(const UpscaleRecord& record) {
    Infotext text;
    if (!record.restorer.empty()) {
        text.parameters.emplace_back("Postprocess restorer", record.restorer);
    }
    text.parameters.emplace_back("Postprocess upscale by", fmt::format("{}", record.scale));
    text.parameters.emplace_back(
        "Postprocess upscale to", fmt::format("{}x{}", record.width, record.height)
    );
    // A1111's word for no upscaler.
    text.parameters.emplace_back(
        "Postprocess upscaler", record.upscaler.empty() ? "None" : record.upscaler
    );
    return text;
}

/// The text as it is, and the parameters on its last line or below it.
std::string append(std::string text, const std::string& parameters) {
    const auto end = text.find_last_not_of(" \t\r\n");
    text.resize(end == std::string::npos ? 0 : end + 1);
    if (!text.empty()) {
        text += parse_infotext(text).parameters.empty() ? "\n" : ", ";
    }
    return text + parameters;
}

std::string append_to_json(const std::string& text, const UpscaleRecord& record) {
    auto json = nlohmann::ordered_json::parse(text, nullptr, false);
    if (!json.is_object()) {
        return text;
    }
    auto& list = json["postprocess"];
    if (!list.is_array()) {
        list = nlohmann::ordered_json::array();
    }
    nlohmann::ordered_json entry{
        {"scale", record.scale}, {"width", record.width}, {"height", record.height}};
    if (!record.restorer.empty()) {
        entry["restorer"] = record.restorer;
    }
    if (!record.upscaler.empty()) {
        entry["upscaler"] = record.upscaler;
    }
    list.push_back(std::move(entry));
    return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

Result<PictureMetadata> add_to_metadata(PictureMetadata source, const UpscaleRecord& record) {
    TESSERA_ASSIGN(const auto text, write_infotext(as_infotext(record)));
    const std::string line = text.substr(text.find_first_not_of('\n'));  // the prompt is empty
    source.parameters = append(std::move(source.parameters), line);
    source.tessera_json = append_to_json(source.tessera_json, record);
    return source;
}

}  // namespace tessera::cli
