#include "tessera/styled_prompt.h"

#include "prompt/styles.h"

namespace tessera::cli {

Status apply_styles(const std::filesystem::path& file, RenderSettings& settings) {
    if (settings.styles.empty()) {
        return {};
    }
    TESSERA_ASSIGN(const auto styles, read_styles(file));
    for (const std::string& name : settings.styles) {
        TESSERA_ASSIGN(const auto style, find_style(styles, name));
        TESSERA_ASSIGN(settings.prompt, apply_style(style.prompt, settings.prompt));
        TESSERA_ASSIGN(
            settings.negative_prompt, apply_style(style.negative_prompt, settings.negative_prompt)
        );
    }
    return {};
}

}  // namespace tessera::cli
