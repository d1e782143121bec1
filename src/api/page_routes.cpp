#include "api/api.h"
#include "api/page_files.h"
#include "base/file.h"
#include "base/hash.h"
#include "http/conditional.h"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <utility>

namespace tessera::api {
namespace {

constexpr std::uint64_t kMaxFileBytes = 16U << 20U;

constexpr std::array<std::pair<std::string_view, std::string_view>, 12> kMediaTypes = {{
    {".html", "text/html; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".json", "application/json"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".jpg", "image/jpeg"},
    {".webp", "image/webp"},
    {".ico", "image/x-icon"},
    {".txt", "text/plain; charset=utf-8"},
    {".webmanifest", "application/manifest+json"},
    {".woff2", "font/woff2"},
}};

bool is_plain(const std::string& path) {
    return std::ranges::all_of(path, [](char letter) {
        return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
               (letter >= '0' && letter <= '9') || letter == '.' || letter == '_' ||
               letter == '-' || letter == '/';
    });
}

std::optional<PageFile> read_page_file(
    const std::filesystem::path& folder, const std::filesystem::path& path
) {
    const auto type = std::ranges::find(
        kMediaTypes,
        path.extension().string(),
        &std::pair<std::string_view, std::string_view>::first
    );
    const std::string name = path.lexically_relative(folder).generic_string();
    auto content = read_file(path, kMaxFileBytes);
    if (type == kMediaTypes.end() || !is_plain(name) || !content) {
        return std::nullopt;
    }
    PageFile file;
    file.path = name == "index.html" ? "/" : "/" + name;
    file.media_type = type->second;
    file.etag = '"' + sha256_hex(as_bytes(*content)).substr(0, 32) + '"';
    // Names in that folder carry a hash of the content.
    file.is_immutable = name.starts_with("assets/");
    file.content = *std::move(content);
    return file;
}

void serve(const PageFile& file, http::Exchange& exchange) {
    const auto selection = http::select_content(exchange.request(), file.etag, file.content.size());
    http::Response response;
    http::describe_selection(selection, file.etag, file.content.size(), response);
    response.fields.add("Content-Type", file.media_type);
    response.fields.add(
        "Cache-Control", file.is_immutable ? "public, max-age=31536000, immutable" : "no-cache"
    );
    response.body = file.content.substr(selection.offset, selection.length);
    exchange.respond(std::move(response));
}

}  // namespace

std::vector<PageFile> find_page_files(const std::filesystem::path& folder) {
    std::vector<PageFile> files;
    std::error_code code;
    std::filesystem::recursive_directory_iterator entry(folder, code);
    for (; !code && entry != std::filesystem::recursive_directory_iterator();
         entry.increment(code)) {
        std::error_code gone;
        if (entry->is_regular_file(gone)) {
            if (auto file = read_page_file(folder, entry->path())) {
                files.push_back(*std::move(file));
            }
        }
    }
    return files;
}

void add_page_routes(http::Router& router, const ApiParts& parts) {
    bool has_index = false;
    for (PageFile& file : find_page_files(parts.settings.web)) {
        has_index = has_index || file.path == "/";
        const std::string path = file.path;
        const auto kept = std::make_shared<const PageFile>(std::move(file));
        router.add("GET", path, [kept](const std::shared_ptr<http::Exchange>& exchange) {
            serve(*kept, *exchange);
        });
    }
    if (!has_index) {
        router.add("GET", "/", [](const std::shared_ptr<http::Exchange>& exchange) {
            exchange->respond(http::text_response(
                200,
                "This is a Tessera server without its web page. Its API is described at "
                "/api/v1/openapi.json.\n"
            ));
        });
    }
}

}  // namespace tessera::api
