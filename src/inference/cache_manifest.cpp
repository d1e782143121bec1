#include "inference/cache_manifest.h"

#include "base/hash.h"

#include <nlohmann/json.hpp>

namespace tessera {
namespace {

using nlohmann::json;

constexpr int kFormat = 1;

Result<std::string> text_field(const json& manifest, const char* field) {
    const auto found = manifest.find(field);
    if (found == manifest.end() || !found->is_string()) {
        return fail(ErrorKind::kCorrupt, "its manifest has no text \"{}\"", field);
    }
    return found->get<std::string>();
}

Result<std::uint64_t> size_field(const json& manifest, const char* field) {
    const auto found = manifest.find(field);
    if (found == manifest.end() || !found->is_number_unsigned()) {
        return fail(ErrorKind::kCorrupt, "its manifest has no size \"{}\"", field);
    }
    return found->get<std::uint64_t>();
}

}  // namespace

std::string EngineIdentity::key() const {
    return FastHash().add(name).add(content_key).add(fingerprint).hex();
}

std::string CacheManifest::to_json() const {
    const json manifest{
        {"format", kFormat},
        {"name", identity.name},
        {"content_key", identity.content_key},
        {"fingerprint", identity.fingerprint},
        {"graph_bytes", graph_bytes},
        {"graph_checksum", graph_checksum},
        {"weights_bytes", weights_bytes},
    };
    return manifest.dump(2, ' ', true, json::error_handler_t::replace) + "\n";
}

Result<CacheManifest> CacheManifest::parse(std::string_view text) {
    // One flat object; anything nested is refused before it is built.
    const auto is_flat = [](int depth, json::parse_event_t event, const json& /*value*/) {
        return depth == 0 || (event != json::parse_event_t::object_start &&
                              event != json::parse_event_t::array_start);
    };
    const json manifest = json::parse(text, is_flat, false);
    if (!manifest.is_object()) {
        return fail(ErrorKind::kCorrupt, "its manifest is not a JSON object");
    }
    TESSERA_ASSIGN(const auto format, size_field(manifest, "format"));
    if (format != kFormat) {
        return fail(ErrorKind::kCorrupt, "its manifest has the unknown format {}", format);
    }
    CacheManifest parsed;
    TESSERA_ASSIGN(parsed.identity.name, text_field(manifest, "name"));
    TESSERA_ASSIGN(parsed.identity.content_key, text_field(manifest, "content_key"));
    TESSERA_ASSIGN(parsed.identity.fingerprint, text_field(manifest, "fingerprint"));
    TESSERA_ASSIGN(parsed.graph_bytes, size_field(manifest, "graph_bytes"));
    TESSERA_ASSIGN(parsed.graph_checksum, text_field(manifest, "graph_checksum"));
    TESSERA_ASSIGN(parsed.weights_bytes, size_field(manifest, "weights_bytes"));
    return parsed;
}

}  // namespace tessera
