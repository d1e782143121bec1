#include "imaging/foreign_metadata.h"

#include "imaging/a1111_parameters.h"
#include "imaging/comfyui_workflow.h"
#include "imaging/exif.h"
#include "imaging/foreign_json.h"
#include "imaging/format.h"
#include "imaging/jpeg_segments.h"
#include "imaging/png_chunks.h"
#include "imaging/webp_chunks.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace tessera {
namespace {

/// The texts of a JPEG or WebP under the names they would have in a PNG.
std::vector<PngText> texts_of_exif(ByteView exif) {
    std::vector<PngText> texts;
    if (auto comment = read_exif_comment(exif)) {
        texts.push_back({"parameters", *std::move(comment)});
    }
    for (const std::string& text : read_exif_texts(exif)) {
        // "prompt:{...}", not a camera's "Canon".
        const std::size_t colon = text.find(':');
        if (colon != std::string::npos && text.find('{') == colon + 1) {
            texts.push_back({text.substr(0, colon), text.substr(colon + 1)});
        }
    }
    return texts;
}

Result<std::vector<PngText>> texts_of(ByteView picture) {
    const auto format = sniff_format(picture);
    if (!format) {
        return fail(ErrorKind::kUnsupported, "this is not a PNG, JPEG or WebP picture");
    }
    if (*format == PictureFormat::kPng) {
        return read_png_texts(picture);
    }
    TESSERA_ASSIGN(
        const MetadataBlocks blocks,
        *format == PictureFormat::kJpeg ? read_jpeg_metadata(picture) : read_webp_metadata(picture)
    );
    return texts_of_exif(blocks.exif);
}

bool is_json(std::string_view text) {
    const auto first = text.find_first_not_of(" \t\r\n");
    return first != std::string_view::npos && text[first] == '{';
}

}  // namespace

Result<ForeignParameters> read_foreign_parameters(ByteView picture) {
    TESSERA_ASSIGN(const auto texts, texts_of(picture));
    const auto text_of = [&](std::string_view name) -> std::string_view {
        const auto found = std::find_if(texts.begin(), texts.end(), [&](const PngText& text) {
            return text.keyword == name;
        });
        return found == texts.end() ? std::string_view() : std::string_view(found->text);
    };
    const std::string_view parameters = text_of("parameters");
    const std::string_view workflow = text_of("prompt");
    if (!parameters.empty()) {
        auto read = is_json(parameters) ? read_swarmui_parameters(parameters)
                                        : read_a1111_parameters(parameters);
        // Some of ComfyUI's nodes write both; the graph is there in any case.
        if (read || workflow.empty()) {
            return read;
        }
    }
    if (!workflow.empty()) {
        return read_comfyui_workflow(workflow);
    }
    if (const auto invoke = text_of("invokeai_metadata"); !invoke.empty()) {
        return read_invokeai_parameters(invoke);
    }
    if (const auto comment = text_of("Comment");
        is_json(comment) && text_of("Software").starts_with("NovelAI")) {
        return read_novelai_parameters(comment, text_of("Description"));
    }
    if (!text_of("workflow").empty()) {
        return fail(
            ErrorKind::kUnsupported,
            "the picture holds ComfyUI's workflow as it is drawn, but not as it was run (the text "
            "\"prompt\"); run it again in ComfyUI and save that picture"
        );
    }
    if (!text_of("sd-metadata").empty() || !text_of("Dream").empty()) {
        return fail(
            ErrorKind::kUnsupported,
            "the picture was made by InvokeAI before version 3, whose metadata is not read"
        );
    }
    return fail(
        ErrorKind::kInvalidArgument,
        "the picture says nothing of how it was made; only pictures with parameters can be repeated"
    );
}

}  // namespace tessera
