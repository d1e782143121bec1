#include "api/a1111_request.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <string>

namespace tessera::api {
namespace {

std::vector<ModelEntry> two_models() {
    ModelEntry demo;
    demo.name = "demo";
    demo.hash = std::string(64, 'a');
    demo.is_default = true;
    ModelEntry other = demo;
    other.name = "other";
    other.hash = std::string(64, 'b');
    other.is_default = false;
    return {demo, other};
}

Checked<A1111Request> parsed(
    std::string_view body, A1111Call call = A1111Call::kTxt2img, const A1111Options& options = {}
) {
    return parse_a1111_request(call, body, options, two_models());
}

A1111Request understood(std::string_view body, A1111Call call = A1111Call::kTxt2img) {
    auto request = parsed(body, call);
    EXPECT_TRUE(request) << request.error().error.message;
    return request.value_or(A1111Request{});
}

TEST(Txt2img, MapsFieldByField) {
    const auto request = understood(R"json({
        "prompt": "a castle", "negative_prompt": "fog", "styles": ["ink"], "seed": 7,
        "subseed": 8, "subseed_strength": 0.25, "seed_resize_from_w": 512,
        "seed_resize_from_h": 768, "sampler_name": "DPM++ 2M", "scheduler": "Karras",
        "batch_size": 2, "n_iter": 3, "steps": 20, "cfg_scale": 6.5, "width": 640, "height": 512,
        "eta": 0.5, "s_noise": 1.1, "restore": true, "force_task_id": "task(abc)",
        "send_images": false, "save_images": true, "do_not_save_grid": true,
        "restore_faces": false, "tiling": false, "denoising_strength": 0.4, "unheard_of": []
    })json");
    const JobSpec& spec = request.spec;
    const RenderSettings& render = spec.render;
    EXPECT_EQ(render.prompt, "a castle");
    EXPECT_EQ(render.negative_prompt, "fog");
    EXPECT_EQ(render.styles, std::vector<std::string>{"ink"});
    EXPECT_EQ(render.seed, "7");
    EXPECT_EQ(render.variation_seed, "8");
    EXPECT_EQ(render.variation_strength, 0.25);
    EXPECT_EQ(render.seed_resize, "512x768");
    EXPECT_EQ(render.sampler, "DPM++ 2M");
    EXPECT_EQ(render.schedule, "Karras");
    EXPECT_EQ(spec.count, 6);
    EXPECT_EQ(render.steps, 20);
    EXPECT_EQ(render.cfg, 6.5);
    EXPECT_EQ(render.size, "640x512");
    EXPECT_EQ(render.eta, 0.5);
    EXPECT_EQ(render.s_noise, 1.1);
    EXPECT_TRUE(render.restore);
    EXPECT_EQ(render.strength, std::nullopt);
    EXPECT_EQ(render.hires, "");
    EXPECT_EQ(spec.client_tag, "task(abc)");
    EXPECT_FALSE(request.send_images);
    EXPECT_EQ(spec.output.format, "png");
}

TEST(Txt2img, AnEtaOfNothingIsLeftOutForSamplersWithoutOne) {
    const auto eta_of = [](const std::string& sampler, const std::string& eta) {
        return understood(R"({"sampler_name":")" + sampler + R"(","eta":)" + eta + "}")
            .spec.render.eta;
    };
    for (const char* sampler :
         {"Euler", "DPM++ 2M Karras", "k_lms", "UniPC", "LCM", "EulerAncestralDiscreteScheduler"}) {
        EXPECT_EQ(eta_of(sampler, "0"), std::nullopt) << sampler;
        EXPECT_EQ(eta_of(sampler, "0.5"), 0.5) << sampler << ": refused where it is resolved";
    }
    for (const char* sampler :
         {"Euler a", "k_euler_a", "DPM++ 2M SDE Karras", "sample_dpm_2_ancestral", "DDIM"}) {
        EXPECT_EQ(eta_of(sampler, "0.0"), 0.0) << sampler;
    }
}

TEST(Txt2img, HasTheDefaultsOfA1111) {
    const auto request = understood("{}");
    EXPECT_EQ(request.spec.render.steps, 50);
    EXPECT_EQ(request.spec.render.cfg, 7.0);
    EXPECT_EQ(request.spec.render.size, "512x512");
    EXPECT_EQ(request.spec.render.seed, "-1");
    EXPECT_EQ(request.spec.render.sampler, "");
    EXPECT_EQ(request.spec.render.variation_strength, std::nullopt);
    EXPECT_EQ(request.spec.count, 1);
    EXPECT_TRUE(request.send_images);
}

TEST(Txt2img, MapsHiresFix) {
    const auto twice = understood(
        R"({"enable_hr":true,"hr_scale":1.5,"hr_upscaler":"Lanczos","hr_second_pass_steps":9,
            "denoising_strength":0.3,"hr_sampler_name":"Use same sampler"})"
    );
    EXPECT_EQ(twice.spec.render.hires, "1.5");
    EXPECT_EQ(twice.spec.render.upscaler, "Lanczos");
    EXPECT_EQ(twice.spec.render.hires_steps, 9);
    EXPECT_EQ(twice.spec.render.hires_strength, 0.3);
    const auto sized = understood(R"({"enable_hr":true,"hr_resize_x":1024,"hr_resize_y":768})");
    EXPECT_EQ(sized.spec.render.hires, "1024x768");
    EXPECT_EQ(sized.spec.render.hires_steps, std::nullopt);
    const auto old = understood(
        R"({"enable_hr":true,"firstphase_width":256,"firstphase_height":320,"width":1024,
            "height":1280})"
    );
    EXPECT_EQ(old.spec.render.size, "256x320");
    EXPECT_EQ(old.spec.render.hires, "1024x1280");
    EXPECT_EQ(understood(R"({"hr_prompt":"b","hr_upscaler":"Latent"})").spec.render.hires, "");
}

TEST(Txt2img, WhatIsNotDoneIsSaid) {
    const std::pair<const char*, const char*> cases[] = {
        {R"({"restore_faces":true})", "restore_faces"},
        {R"({"tiling":true})", "tiling"},
        {R"({"refiner_checkpoint":"x"})", "refiner_checkpoint"},
        {R"({"script_name":"X/Y/Z plot"})", "script_name"},
        {R"({"alwayson_scripts":{"ControlNet":{"args":[{"image":"x"}]}}})", "alwayson_scripts"},
        {R"({"s_churn":0.5})", "s_churn"},
        {R"({"s_min_uncond":1})", "s_min_uncond"},
        {R"({"infotext":"Steps: 5"})", "infotext"},
        {R"json({"enable_hr":true,"hr_upscaler":"Latent (nearest)"})json", "hr_upscaler"},
        {R"({"enable_hr":true,"hr_prompt":"other"})", "hr_prompt"},
        {R"({"enable_hr":true,"hr_checkpoint_name":"other"})", "hr_checkpoint_name"},
        {R"({"enable_hr":true,"hr_resize_x":512})", "hr_resize_y"},
        {R"({"disable_extra_networks":true,"prompt":"<lora:a:1>"})", "disable_extra_networks"},
        {R"({"override_settings":{"sd_vae":"other.pt"}})", "override_settings"},
    };
    for (const auto& [body, field] : cases) {
        const auto request = parsed(body);
        ASSERT_FALSE(request) << body;
        EXPECT_EQ(request.error().field, field) << request.error().error.message;
        EXPECT_EQ(request.error().error.kind, ErrorKind::kUnsupported) << body;
    }
}

TEST(Txt2img, WhatIsSwitchedOffIsLetPass) {
    understood(R"({
        "restore_faces": false, "tiling": null, "refiner_checkpoint": "", "script_name": null,
        "script_args": [], "alwayson_scripts": {"ADetailer": {"args": [false]}, "B": {"args": []}},
        "s_churn": 0, "s_tmax": 5, "s_min_uncond": 0.0, "infotext": null, "comments": {},
        "hr_checkpoint_name": "None", "distilled_cfg_scale": 3.5,
        "override_settings": {"sd_vae": "Automatic", "unknown": 1}
    })");
}

TEST(Txt2img, WrongTypesAndHugeNumbersNameTheField) {
    const std::pair<const char*, const char*> cases[] = {
        {R"({"prompt":[]})", "prompt"},
        {R"({"steps":"many"})", "steps"},
        {R"({"steps":0})", "steps"},
        {R"({"width":-1})", "width"},
        {R"({"width":1e300})", "width"},
        {R"({"batch_size":100000000})", "batch_size"},
        {R"({"batch_size":1000,"n_iter":1000})", "batch_size"},
        {R"({"cfg_scale":{}})", "cfg_scale"},
        {R"({"styles":"ink"})", "styles"},
        {R"({"alwayson_scripts":[]})", "alwayson_scripts"},
        {R"({"override_settings":[]})", "override_settings"},
        {R"({"denoising_strength":1.5})", "denoising_strength"},
        {R"({"force_task_id":5})", "force_task_id"},
    };
    for (const auto& [body, field] : cases) {
        const auto request = parsed(body);
        ASSERT_FALSE(request) << body;
        EXPECT_EQ(request.error().field, field) << request.error().error.message;
        EXPECT_EQ(request.error().error.kind, ErrorKind::kInvalidArgument) << body;
    }
}

TEST(Txt2img, TakesTheKeysOptionsAndTheRequestsOwn) {
    A1111Options options;
    options.model = "other";
    options.clip_skip = 2;
    options.format = "jpeg";
    options.quality = 70;
    const auto plain = parsed("{}", A1111Call::kTxt2img, options);
    ASSERT_TRUE(plain);
    EXPECT_EQ(plain->spec.render.model, "other");
    EXPECT_EQ(plain->spec.render.clip_skip, 2);
    EXPECT_EQ(plain->spec.output.format, "jpeg");
    EXPECT_EQ(plain->spec.output.quality, 70);
    const auto once = parsed(
        R"({"override_settings":{"sd_model_checkpoint":"demo [aaaaaaaaaa]",
            "CLIP_stop_at_last_layers":1,"randn_source":"NV","eta_noise_seed_delta":31337}})",
        A1111Call::kTxt2img,
        options
    );
    ASSERT_TRUE(once) << once.error().error.message;
    EXPECT_EQ(once->spec.render.model, "demo");
    EXPECT_EQ(once->spec.render.clip_skip, std::nullopt);
    EXPECT_EQ(once->spec.render.rng, "cuda");
    EXPECT_EQ(once->spec.render.later_seed_offset, 31337U);
    EXPECT_EQ(once->kept_options, std::nullopt);
    const auto kept = parsed(
        R"({"override_settings":{"sd_model_checkpoint":"demo"},
            "override_settings_restore_afterwards":false})",
        A1111Call::kTxt2img,
        options
    );
    ASSERT_TRUE(kept && kept->kept_options);
    EXPECT_EQ(kept->kept_options->model, "demo");
    EXPECT_EQ(kept->kept_options->clip_skip, 2);
}

TEST(Txt2img, AnUnknownModelIsToldWithANearName) {
    const auto request = parsed(R"({"override_settings":{"sd_model_checkpoint":"dem"}})");
    ASSERT_FALSE(request);
    EXPECT_EQ(request.error().error.kind, ErrorKind::kNotFound);
    EXPECT_NE(request.error().error.message.find("\"demo\""), std::string::npos);
}

TEST(Img2img, MapsPictureAndMask) {
    const auto request = understood(
        R"({"init_images":["data:image/png;base64,Zm9v"],"mask":"YmFy","mask_blur":6,
            "resize_mode":2,"inpainting_fill":2,"inpaint_full_res":true,
            "inpaint_full_res_padding":32,"inpainting_mask_invert":1,"denoising_strength":0.6})",
        A1111Call::kImg2img
    );
    const RenderSettings& render = request.spec.render;
    EXPECT_EQ(as_text(request.init.value()), "foo");
    EXPECT_EQ(as_text(request.mask.value()), "bar");
    EXPECT_EQ(render.strength, 0.6);
    EXPECT_EQ(render.resize_mode, "pad");
    EXPECT_EQ(render.mask_blur, 6.0);
    EXPECT_EQ(render.masked_content, "latent-noise");
    EXPECT_EQ(render.only_masked, 32);
    EXPECT_TRUE(render.mask_invert);
}

TEST(Img2img, HasTheDefaultsOfA1111) {
    const auto masked =
        understood(R"({"init_images":["Zm9v"],"mask":"YmFy"})", A1111Call::kImg2img);
    EXPECT_EQ(masked.spec.render.strength, 0.75);
    EXPECT_EQ(masked.spec.render.resize_mode, "stretch");
    EXPECT_EQ(masked.spec.render.mask_blur, 4.0);
    EXPECT_EQ(masked.spec.render.masked_content, "fill");
    EXPECT_EQ(masked.spec.render.only_masked, 0);
    const auto whole = understood(R"({"init_images":["Zm9v"]})", A1111Call::kImg2img);
    EXPECT_EQ(whole.spec.render.only_masked, std::nullopt);
    EXPECT_EQ(whole.spec.render.mask_blur, std::nullopt);
}

TEST(Img2img, FaultsNameTheField) {
    const struct {
        const char* body;
        const char* field;
        ErrorKind kind;
    } cases[] = {
        {"{}", "init_images", ErrorKind::kInvalidArgument},
        {R"({"init_images":[]})", "init_images", ErrorKind::kInvalidArgument},
        {R"({"init_images":"Zm9v"})", "init_images", ErrorKind::kInvalidArgument},
        {R"({"init_images":["!!"]})", "init_images[0]", ErrorKind::kInvalidArgument},
        {R"({"init_images":["http://a/b.png"]})", "init_images[0]", ErrorKind::kUnsupported},
        {R"({"init_images":["Zm9v","Zm9v"]})", "init_images", ErrorKind::kUnsupported},
        {R"({"init_images":["Zm9v"],"resize_mode":3})", "resize_mode 3", ErrorKind::kUnsupported},
        {R"({"init_images":["Zm9v"],"mask":5})", "mask", ErrorKind::kInvalidArgument},
        {R"({"init_images":["Zm9v"],"mask":"YmFy","mask_blur_x":1,"mask_blur_y":2})",
         "mask_blur_y",
         ErrorKind::kUnsupported},
        {R"({"init_images":["Zm9v"],"initial_noise_multiplier":0.5})",
         "initial_noise_multiplier",
         ErrorKind::kUnsupported},
    };
    for (const auto& [body, field, kind] : cases) {
        const auto request = parsed(body, A1111Call::kImg2img);
        ASSERT_FALSE(request) << body;
        EXPECT_EQ(request.error().field, field) << request.error().error.message;
        EXPECT_EQ(request.error().error.kind, kind) << body;
    }
}

TEST(Img2img, RepeatsTheRequestWithoutItsPictures) {
    const auto request =
        understood(R"({"init_images":["Zm9v"],"mask":"YmFy","prompt":"a"})", A1111Call::kImg2img);
    const auto json = nlohmann::json::parse(request.parameters);
    EXPECT_EQ(json["prompt"], "a");
    EXPECT_EQ(json["steps"], 50);
    EXPECT_TRUE(json["init_images"].is_null());
    EXPECT_TRUE(json["mask"].is_null());
}

}  // namespace
}  // namespace tessera::api
