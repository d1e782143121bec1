#include "tessera/upscalers.h"

#include "base/file.h"
#include "base/hash.h"
#include "tessera/installed_upscalers.h"

namespace tessera::cli {

Result<std::string> Upscalers::name_of(const std::string& upscaler) {
    const std::lock_guard lock(mutex_);
    TESSERA_ASSIGN(auto file, find_upscaler(locations_, upscaler));
    if (file.empty()) {
        return std::string(kLanczosName);
    }
    std::string name = file.stem().string();
    given_.insert_or_assign(name, std::move(file));
    return name;
}

Result<std::filesystem::path> Upscalers::file_of(const std::string& name) const {
    const auto given = given_.find(name);
    return given != given_.end() ? given->second : find_installed_upscaler(locations_, name);
}

Result<std::string> Upscalers::hash(const std::string& name) {
    const std::lock_guard lock(mutex_);
    if (const auto known = hashes_.find(name); known != hashes_.end()) {
        return known->second;
    }
    TESSERA_ASSIGN(const auto path, file_of(name));
    std::string hash;
    if (!path.empty()) {
        TESSERA_ASSIGN(const auto file, MappedFile::open(path));
        hash = sha256_hex(file.bytes());
    }
    return hashes_.emplace(name, std::move(hash)).first->second;
}

Result<Upscaler> Upscalers::get(const std::string& name) {
    const std::lock_guard lock(mutex_);
    if (const auto known = loaded_.find(name); known != loaded_.end()) {
        return known->second;
    }
    TESSERA_ASSIGN(const auto file, file_of(name));
    TESSERA_ASSIGN(auto upscaler, open_upscaler(file, engine_));
    return loaded_.emplace(name, std::move(upscaler)).first->second;
}

}  // namespace tessera::cli
