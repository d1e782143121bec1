#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace tessera::api {

/// A file of the web page, held in memory: a request's path is looked up, never opened.
struct PageFile {
    std::string path;  ///< of the URL: "/assets/index-4f2a.js"; "/" for index.html
    std::string media_type;
    std::string etag;           ///< with its quotes
    bool is_immutable = false;  ///< its name changes with its content
    std::string content;
};

/// The files in the folder and in folders within, as far as their type is one that a page needs and
/// their name is plain; none when there is no such folder.
[[nodiscard]] std::vector<PageFile> find_page_files(const std::filesystem::path& folder);

}  // namespace tessera::api
