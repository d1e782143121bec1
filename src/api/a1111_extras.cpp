#include "api/a1111_extras.h"

#include "api/loose_fields_internal.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace tessera::api {
namespace {

constexpr int kMaxSide = 1 << 16;
constexpr std::size_t kMaxBatch = 64;

Checked<void> check_unsupported(const LooseFields& fields) {
    for (const char* name : {"gfpgan_visibility", "codeformer_visibility"}) {
        TESSERA_ASSIGN(const auto visibility, fields.real(name));
        if (visibility.value_or(0.0) > 0.0) {
            return refuse(
                name,
                ErrorKind::kUnsupported,
                "{} is not supported here; there is no network for faces. \"restore\": true "
                "repairs the whole picture",
                name
            );
        }
    }
    TESSERA_ASSIGN(const auto second, fields.text("upscaler_2"));
    TESSERA_ASSIGN(const auto visible, fields.real("extras_upscaler_2_visibility"));
    if (second && *second != "None" && !second->empty() && visible.value_or(0.0) > 0.0) {
        return refuse(
            "upscaler_2",
            ErrorKind::kUnsupported,
            "upscaler_2 is not supported here; one upscaler is used"
        );
    }
    return {};
}

Checked<void> read_size(const LooseFields& fields, A1111Extras& extras) {
    TESSERA_ASSIGN(const auto mode, fields.whole("resize_mode", 0, 1));
    if (mode.value_or(0) == 0) {
        TESSERA_ASSIGN(const auto scale, fields.real("upscaling_resize", 1.0, 8.0));
        extras.upscale.scale = fmt::format("{}", scale.value_or(2.0));
        return {};
    }
    TESSERA_ASSIGN(const auto width, fields.whole("upscaling_resize_w", 1, kMaxSide));
    TESSERA_ASSIGN(const auto height, fields.whole("upscaling_resize_h", 1, kMaxSide));
    TESSERA_ASSIGN(const auto crops, fields.flag("upscaling_crop"));
    extras.cover_width = width.value_or(512);
    extras.cover_height = height.value_or(512);
    extras.crops = crops.value_or(true);
    return {};
}

Checked<std::vector<Bytes>> read_list(const LooseFields& fields) {
    const Json* list = fields.find("imageList");
    if (list == nullptr || !list->is_array() || list->empty()) {
        return refuse(
            "imageList", ErrorKind::kInvalidArgument, "imageList must be a list of pictures"
        );
    }
    if (list->size() > kMaxBatch) {
        return refuse(
            "imageList",
            ErrorKind::kInvalidArgument,
            "imageList has {} pictures, {} are allowed",
            list->size(),
            kMaxBatch
        );
    }
    std::vector<Bytes> pictures;
    for (std::size_t i = 0; i < list->size(); ++i) {
        const std::string name = fmt::format("imageList[{}]", i);
        const Json& each = (*list)[i];
        const auto data = each.is_object() ? each.find("data") : each.end();
        if (data == each.end() || !data->is_string()) {
            return refuse(
                name, ErrorKind::kInvalidArgument, "{} must hold data, a picture in base 64", name
            );
        }
        TESSERA_ASSIGN(auto picture, picture_from(name, data->get_ref<const std::string&>()));
        pictures.push_back(std::move(picture));
    }
    return pictures;
}

}  // namespace

Checked<A1111Extras> parse_a1111_extras(ExtrasCall call, std::string_view body) {
    TESSERA_ASSIGN(const auto json, parse_loose_body(body));
    const LooseFields fields(json);
    A1111Extras extras;
    TESSERA_TRY(check_unsupported(fields));
    if (call == ExtrasCall::kBatch) {
        TESSERA_ASSIGN(extras.pictures, read_list(fields));
    } else {
        TESSERA_ASSIGN(auto picture, fields.picture("image"));
        if (!picture) {
            return refuse("image", ErrorKind::kInvalidArgument, "image is missing");
        }
        extras.pictures.push_back(*std::move(picture));
    }
    TESSERA_ASSIGN(const auto restore, fields.flag("restore"));
    extras.upscale.restore = restore.value_or(false);
    TESSERA_ASSIGN(auto upscaler, fields.text("upscaler_1"));
    if (!upscaler || upscaler->empty() || *upscaler == "None") {
        extras.changes_nothing = !extras.upscale.restore;
        extras.upscale.scale = "1";
        return extras;
    }
    extras.upscale.upscaler = *std::move(upscaler);
    TESSERA_TRY(read_size(fields, extras));
    return extras;
}

Checked<std::string> extras_scale(const A1111Extras& extras, const UploadEntry& picture) {
    if (extras.cover_width == 0 || picture.width <= 0 || picture.height <= 0) {
        return extras.upscale.scale;
    }
    const double by = std::max(
        double{1} * extras.cover_width / picture.width,
        double{1} * extras.cover_height / picture.height
    );
    const auto width = static_cast<int>(std::lround(picture.width * by));
    const auto height = static_cast<int>(std::lround(picture.height * by));
    if (extras.crops && (width != extras.cover_width || height != extras.cover_height)) {
        return refuse(
            "upscaling_crop",
            ErrorKind::kUnsupported,
            "upscaling_crop is not supported here: the picture has another shape than {}x{} and "
            "would become {}x{}; switch it off",
            extras.cover_width,
            extras.cover_height,
            width,
            height
        );
    }
    return fmt::format("{}x{}", width, height);
}

}  // namespace tessera::api
