#include "models/config_reader.h"
#include "models/unet2d_condition_model.h"

namespace tessera {
namespace {

constexpr int kMaxChannels = 1 << 15;

/// True for each block that has attention, by diffusers' class names.
std::vector<bool> attention_blocks(
    ConfigReader& reader, const char* key, std::string_view with, std::string_view without
) {
    std::vector<bool> has_attention;
    for (const auto& type : reader.texts(key)) {
        if (type != with && type != without) {
            reader.fail_with(
                ErrorKind::kUnsupported, fmt::format("{} \"{}\" is not supported", key, type)
            );
        }
        has_attention.push_back(type == with);
    }
    return has_attention;
}

/// Options of other families: a graph that ignored one would paint something, but not the model's
/// picture.
void refuse_other_families(ConfigReader& reader) {
    for (const char* key :
         {"class_embed_type",
          "addition_embed_type",
          "encoder_hid_dim",
          "encoder_hid_dim_type",
          "time_embedding_act_fn",
          "timestep_post_act",
          "time_cond_proj_dim",
          "cross_attention_norm",
          "reverse_transformer_layers_per_block"}) {
        reader.expect_absent(key);
    }
    reader.expect_flag("dual_cross_attention", false);
    reader.expect_flag("resnet_skip_time_act", false);
    reader.expect_flag("class_embeddings_concat", false);
    reader.expect_text("resnet_time_scale_shift", {"default"});
    reader.expect_text("time_embedding_type", {"positional"});
    reader.expect_text("attention_type", {"default"});
    reader.expect_text("mid_block_type", {"UNetMidBlock2DCrossAttn"});
    if (reader.is_null("mid_block_type")) {
        reader.fail_with(ErrorKind::kUnsupported, "a UNet without a middle block is not supported");
    }
    if (reader.number("resnet_out_scale_factor", 1.0) != 1.0) {
        reader.fail_with(ErrorKind::kUnsupported, "resnet_out_scale_factor must be 1");
    }
}

Status check_divisibility(const UNet2DConditionConfig& config) {
    for (std::size_t level = 0; level < config.block_out_channels.size(); ++level) {
        const int channels = config.block_out_channels[level];
        if (channels % config.norm_num_groups != 0) {
            return fail(
                ErrorKind::kInvalidArgument,
                "block_out_channels {} cannot be split into {} groups (norm_num_groups)",
                channels,
                config.norm_num_groups
            );
        }
        if (channels % config.num_heads[level] != 0) {
            return fail(
                ErrorKind::kInvalidArgument,
                "block_out_channels {} cannot be split into {} heads (attention_head_dim)",
                channels,
                config.num_heads[level]
            );
        }
    }
    return {};
}

}  // namespace

Result<UNet2DConditionConfig> UNet2DConditionConfig::parse(std::string_view config_json) {
    ConfigReader reader(config_json);
    UNet2DConditionConfig config{};
    config.block_out_channels = reader.integer_list("block_out_channels", 2, kMaxChannels);
    config.down_has_attention =
        attention_blocks(reader, "down_block_types", "CrossAttnDownBlock2D", "DownBlock2D");
    config.up_has_attention =
        attention_blocks(reader, "up_block_types", "CrossAttnUpBlock2D", "UpBlock2D");
    TESSERA_TRY(reader.status());

    const std::size_t levels = config.block_out_channels.size();
    if (config.down_has_attention.size() != levels || config.up_has_attention.size() != levels) {
        return fail(
            ErrorKind::kInvalidArgument,
            "{} down_block_types and {} up_block_types do not fit {} block_out_channels",
            config.down_has_attention.size(),
            config.up_has_attention.size(),
            levels
        );
    }
    config.in_channels = reader.integer("in_channels", 4, 1, 1024);
    config.out_channels = reader.integer("out_channels", 4, 1, 1024);
    config.sample_size = reader.integer("sample_size", 64, 1, 4096);
    config.center_input_sample = reader.flag("center_input_sample", false);
    config.flip_sin_to_cos = reader.flag("flip_sin_to_cos", true);
    config.freq_shift = reader.number("freq_shift", 0.0);
    config.only_cross_attention = reader.flags("only_cross_attention", levels, false);
    config.layers_per_block = reader.integers("layers_per_block", levels, 2, 1, 16);
    config.downsample_padding = reader.integer("downsample_padding", 1, 0, 1);
    config.mid_block_scale_factor =
        static_cast<float>(reader.number("mid_block_scale_factor", 1.0));
    config.norm_num_groups = reader.integer("norm_num_groups", 32, 1, kMaxChannels);
    config.norm_eps = static_cast<float>(reader.number("norm_eps", 1e-5));
    config.cross_attention_dim =
        reader.integers("cross_attention_dim", levels, 1280, 1, kMaxChannels);
    config.transformer_layers_per_block =
        reader.integers("transformer_layers_per_block", levels, 1, 1, 64);
    // diffusers calls the number of heads attention_head_dim; num_attention_heads wins if given.
    const char* heads_key =
        reader.has("num_attention_heads") ? "num_attention_heads" : "attention_head_dim";
    config.num_heads = reader.integers(heads_key, levels, 8, 1, kMaxChannels);
    config.time_embedding_dim = reader.integer(
        "time_embedding_dim", 4 * config.block_out_channels.front(), 1, 4 * kMaxChannels
    );
    config.num_class_embeds = reader.integer("num_class_embeds", 0, 0, 1 << 20);
    config.conv_in_kernel = reader.integer("conv_in_kernel", 3, 1, 15);
    config.conv_out_kernel = reader.integer("conv_out_kernel", 3, 1, 15);
    const auto activation = find_activation(reader.text("act_fn", "silu"));
    refuse_other_families(reader);
    TESSERA_TRY(reader.status());
    TESSERA_ASSIGN(config.act_fn, activation);
    TESSERA_TRY(check_divisibility(config));
    return config;
}

}  // namespace tessera
