#include "tessera/model_hash.h"

#include "base/file.h"
#include "base/hash.h"
#include "checkpoint/checked_json.h"

#include <nlohmann/json.hpp>

#include <set>
#include <system_error>

namespace tessera::cli {
namespace {

constexpr std::size_t kDigits = 64;

bool is_digest(const std::string& text) {
    return text.size() == kDigits &&
           text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

Result<std::string> hash_file(const std::filesystem::path& path) {
    TESSERA_ASSIGN(const auto file, MappedFile::open(path));
    return sha256_hex(file.bytes());
}

Result<std::string> hash_shards(const std::filesystem::path& index) {
    TESSERA_ASSIGN(const auto text, read_json_file(index));
    std::set<std::string> files;
    const auto json = nlohmann::json::parse(text);
    for (const auto& [tensor, file] : json.at("weight_map").items()) {
        files.insert(file.get<std::string>());
    }
    std::string digests;
    for (const std::string& file : files) {
        TESSERA_ASSIGN(const auto digest, hash_file(index.parent_path() / file));
        digests += digest;
    }
    return sha256_hex(as_bytes(digests));
}

}  // namespace

Result<std::string> model_hash(const DiffusersFolder& folder, const std::filesystem::path& memory) {
    // Opening checks an index of shards, so that what follows may rely on its form.
    TESSERA_ASSIGN(const auto weights, folder.weights("unet"));
    const auto remembered = memory / weights.identity();
    if (!memory.empty()) {
        if (auto known = read_file(remembered, kDigits); known && is_digest(*known)) {
            return known;
        }
    }
    TESSERA_ASSIGN(
        auto hash,
        weights.path().extension() == ".json" ? hash_shards(weights.path())
                                              : hash_file(weights.path())
    );
    if (!memory.empty()) {
        std::error_code error;
        std::filesystem::create_directories(memory, error);
        // Not remembered is only slower.
        [[maybe_unused]] const auto kept = write_file_atomically(remembered, as_bytes(hash));
    }
    return hash;
}

}  // namespace tessera::cli
