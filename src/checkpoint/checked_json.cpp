#include "checkpoint/checked_json.h"

#include "base/file.h"
#include "checkpoint/strict_json_internal.h"

namespace tessera {

Status check_json(std::string_view text, std::size_t max_depth) {
    return StrictJson(max_depth).read(text);
}

Result<std::string> read_json_file(const std::filesystem::path& path) {
    TESSERA_ASSIGN(auto text, read_file(path, kMaxJsonBytes));
    if (auto valid = check_json(text); !valid) {
        auto error = std::move(valid).error();
        error.message += "; mend it or download it again";
        return within(path.string(), std::move(error));
    }
    return text;
}

}  // namespace tessera
