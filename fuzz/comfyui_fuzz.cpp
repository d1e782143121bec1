// Any text as what other programs write of how they made a picture, in each of its forms: what is
// read is within the ranges that ForeignParameters promises.
#include "imaging/a1111_parameters.h"
#include "imaging/comfyui_workflow.h"
#include "imaging/exif.h"
#include "imaging/foreign_json.h"

#include <cstdint>
#include <cstdlib>
#include <span>

namespace {

void require(bool holds) {
    if (!holds) {
        std::abort();
    }
}

template <class Number>
bool within(const std::optional<Number>& value, Number least, Number most) {
    return !value || (*value >= least && *value <= most);
}

void check(const tessera::Result<tessera::ForeignParameters>& read) {
    if (!read) {
        require(!read.error().message.empty());
        return;
    }
    const tessera::ForeignParameters& found = *read;
    require(!found.program.empty());
    require(within(found.steps, 1, tessera::kMostForeignSteps));
    require(within(found.width, 1, tessera::kMostForeignSide));
    require(within(found.height, 1, tessera::kMostForeignSide));
    require(within(found.cfg, -tessera::kMostForeignCfg, tessera::kMostForeignCfg));
    require(within(found.denoise, 0.0, 1.0));
    require(within(found.clip_skip, 1, 100));
    require(found.not_honoured.size() <= 101);
    if (found.hires) {
        require(within(found.hires->steps, 1, tessera::kMostForeignSteps));
        require(within(found.hires->denoise, 0.0, 1.0));
        require(within(found.hires->width, 1, tessera::kMostForeignSide));
    }
    if (found.steps) {
        const int whole = tessera::whole_schedule_steps(
            *found.steps, found.denoise.value_or(1.0), found.steps_are_taken
        );
        require(whole >= *found.steps && whole <= tessera::kMostForeignSteps);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto bytes = std::as_bytes(std::span(data, size));
    const std::string_view text = tessera::as_text(bytes);
    check(tessera::read_comfyui_workflow(text));
    check(tessera::read_a1111_parameters(text));
    check(tessera::read_swarmui_parameters(text));
    check(tessera::read_invokeai_parameters(text));
    check(tessera::read_novelai_parameters(text, text));
    for (const std::string& found : tessera::read_exif_texts(bytes)) {
        require(found.find('\0') == std::string::npos);
    }
    return 0;
}
