#include "api/openai_request.h"

#include <gtest/gtest.h>

#include <string>

namespace tessera::api {
namespace {

OpenAiRequest generation(std::string_view body) {
    auto request = parse_openai_generation(body);
    EXPECT_TRUE(request) << request.error().error.message;
    return request.value_or(OpenAiRequest{});
}

ApiFault generation_fault(std::string_view body) {
    auto request = parse_openai_generation(body);
    EXPECT_FALSE(request) << body;
    return request ? ApiFault(Error{}) : request.error();
}

/// A multipart body with these parts, each "name" or "name; filename=…" and its data.
std::string form(std::initializer_list<std::pair<std::string, std::string>> parts) {
    std::string body;
    for (const auto& [name, data] : parts) {
        body += "--edge\r\nContent-Disposition: form-data; name=\"" + name + "\"";
        body += name.starts_with("image") || name == "mask" ? "; filename=\"a.png\"" : "";
        body += "\r\n\r\n" + data + "\r\n";
    }
    return body + "--edge--\r\n";
}

constexpr std::string_view kForm = "multipart/form-data; boundary=edge";

TEST(OpenAiGeneration, MapsFieldByField) {
    const auto request = generation(R"({
        "prompt": "a castle", "model": "demo", "n": 3, "size": "640x512", "quality": "high",
        "output_format": "webp", "output_compression": 80, "response_format": "url",
        "style": "vivid", "user": "someone", "moderation": "low", "background": "opaque",
        "negative_prompt": "fog", "seed": 18446744073709551615, "num_inference_steps": 12,
        "guidance_scale": 5.5, "sampler": "Euler a", "scheduler": "Karras", "clip_skip": 2,
        "styles": ["ink"], "something_else": {"of": "the future"}
    })");
    const JobSpec& spec = request.spec;
    EXPECT_EQ(spec.render.prompt, "a castle");
    EXPECT_EQ(spec.render.model, "demo");
    EXPECT_EQ(spec.count, 3);
    EXPECT_EQ(spec.render.size, "640x512");
    EXPECT_EQ(spec.output.format, "webp");
    EXPECT_EQ(spec.output.quality, 80);
    EXPECT_TRUE(request.wants_url);
    EXPECT_EQ(spec.render.negative_prompt, "fog");
    EXPECT_EQ(spec.render.seed, "18446744073709551615");
    EXPECT_EQ(spec.render.steps, 12);
    EXPECT_EQ(spec.render.cfg, 5.5);
    EXPECT_EQ(spec.render.sampler, "Euler a");
    EXPECT_EQ(spec.render.schedule, "Karras");
    EXPECT_EQ(spec.render.clip_skip, 2);
    EXPECT_EQ(spec.render.styles, std::vector<std::string>{"ink"});
    EXPECT_EQ(request.quality, "high");
}

TEST(OpenAiGeneration, LeavesToTheModelWhatIsNotSaid) {
    const auto request = generation(R"({"prompt": "a castle", "size": "auto", "n": null})");
    EXPECT_EQ(request.spec.count, 1);
    EXPECT_EQ(request.spec.render.size, "");
    EXPECT_EQ(request.spec.render.seed, "-1");
    EXPECT_EQ(request.spec.render.steps, std::nullopt);
    EXPECT_EQ(request.spec.output.format, "png");
    EXPECT_FALSE(request.wants_url);
    EXPECT_FALSE(request.stream);
}

TEST(OpenAiGeneration, DallEsClientsGetLinksUnlessTheySayOtherwise) {
    EXPECT_TRUE(generation(R"({"prompt":"a","model":"dall-e-3"})").wants_url);
    EXPECT_FALSE(generation(R"({"prompt":"a","model":"gpt-image-1"})").wants_url);
    EXPECT_FALSE(
        generation(R"({"prompt":"a","model":"dall-e-3","response_format":"b64_json"})").wants_url
    );
}

TEST(OpenAiGeneration, KnowsTheNamesOfOtherServers) {
    const auto request = generation(R"({"prompt":"a","rng_seed":5,"step":9,"cfg_scale":3})");
    EXPECT_EQ(request.spec.render.seed, "5");
    EXPECT_EQ(request.spec.render.steps, 9);
    EXPECT_EQ(request.spec.render.cfg, 3.0);
    EXPECT_EQ(generation(R"({"prompt":"a","seed":-7})").spec.render.seed, "-1");
}

TEST(OpenAiGeneration, TakesArgumentsOutOfThePrompt) {
    const auto request = generation(
        R"({"prompt":"a cat<sd_cpp_extra_args>{\"steps\":8,\"seed\":3}</sd_cpp_extra_args>","seed":4})"
    );
    EXPECT_EQ(request.spec.render.prompt, "a cat");
    EXPECT_EQ(request.spec.render.steps, 8);
    EXPECT_EQ(request.spec.render.seed, "4");
    generation_fault(R"({"prompt":"a<sd_cpp_extra_args>{</sd_cpp_extra_args>"})");
}

TEST(OpenAiGeneration, FaultsNameTheField) {
    const struct {
        const char* body;
        const char* field;
        ErrorKind kind;
    } cases[] = {
        {"{}", "prompt", ErrorKind::kInvalidArgument},
        {R"({"prompt":""})", "prompt", ErrorKind::kInvalidArgument},
        {R"({"prompt":7})", "prompt", ErrorKind::kInvalidArgument},
        {R"({"prompt":"a","n":0})", "n", ErrorKind::kInvalidArgument},
        {R"({"prompt":"a","n":11})", "n", ErrorKind::kInvalidArgument},
        {R"({"prompt":"a","n":99999999999999999999})", "n", ErrorKind::kInvalidArgument},
        {R"({"prompt":"a","quality":"best"})", "quality", ErrorKind::kInvalidArgument},
        {R"({"prompt":"a","output_format":"gif"})", "output_format", ErrorKind::kInvalidArgument},
        {R"({"prompt":"a","output_compression":50})",
         "output_compression",
         ErrorKind::kInvalidArgument},
        {R"({"prompt":"a","partial_images":2})", "partial_images", ErrorKind::kInvalidArgument},
        {R"({"prompt":"a","stream":true,"partial_images":4})",
         "partial_images",
         ErrorKind::kInvalidArgument},
        {R"({"prompt":"a","background":"transparent"})", "background", ErrorKind::kUnsupported},
        {R"({"prompt":"a","lora_alphas":[1]})", "lora_alphas", ErrorKind::kUnsupported},
        {R"({"prompt":"a","seed":"lucky"})", "seed", ErrorKind::kInvalidArgument},
    };
    for (const auto& [body, field, kind] : cases) {
        const ApiFault fault = generation_fault(body);
        EXPECT_EQ(fault.field, field) << body;
        EXPECT_EQ(fault.error.kind, kind) << body;
        EXPECT_NE(fault.error.message.find(field), std::string::npos) << fault.error.message;
    }
}

TEST(OpenAiEdit, MapsAFormWithPictureAndMask) {
    const std::string body = form(
        {{"image", "picture"},
         {"mask", "hole"},
         {"prompt", "a dog"},
         {"n", "2"},
         {"stream", "true"},
         {"partial_images", "1"},
         {"size", "512x512"}}
    );
    const auto edit = parse_openai_edit(kForm, body);
    ASSERT_TRUE(edit) << edit.error().error.message;
    EXPECT_EQ(as_text(edit->image.bytes()), "picture");
    EXPECT_EQ(as_text(edit->mask->bytes()), "hole");
    EXPECT_EQ(edit->request.spec.render.prompt, "a dog");
    EXPECT_EQ(edit->request.spec.count, 2);
    EXPECT_TRUE(edit->request.stream);
    EXPECT_EQ(edit->request.partial_images, 1);
    EXPECT_EQ(edit->request.spec.render.strength, kMaskedEditStrength);
}

TEST(OpenAiEdit, WithoutMaskKeepsMoreOfAPictureAtHighFidelity) {
    const auto strength = [](const char* fidelity) {
        const auto edit = parse_openai_edit(
            kForm, form({{"image[]", "p"}, {"prompt", "a"}, {"input_fidelity", fidelity}})
        );
        return edit ? edit->request.spec.render.strength.value_or(-1) : -1;
    };
    EXPECT_LT(strength("high"), strength("low"));
    const auto said = parse_openai_edit(
        kForm, form({{"image", "p"}, {"mask", "m"}, {"prompt", "a"}, {"strength", "0.4"}})
    );
    EXPECT_EQ(said->request.spec.render.strength, 0.4);
    EXPECT_TRUE(said->has_strength);
}

TEST(OpenAiEdit, TakesDataUrlsAndNoAddresses) {
    const auto edit = parse_openai_edit(
        "application/json",
        R"({"prompt":"a","images":[{"image_url":"data:image/png;base64,Zm9v"}]})"
    );
    ASSERT_TRUE(edit) << edit.error().error.message;
    EXPECT_EQ(as_text(edit->image.bytes()), "foo");
    const auto address = parse_openai_edit(
        "application/json", R"({"prompt":"a","images":[{"image_url":"https://example.org/a.png"}]})"
    );
    EXPECT_EQ(address.error().error.kind, ErrorKind::kUnsupported);
    EXPECT_EQ(address.error().field, "images[0].image_url");
    const auto file =
        parse_openai_edit("application/json", R"({"prompt":"a","images":[{"file_id":"file-1"}]})");
    EXPECT_EQ(file.error().field, "images[0].file_id");
}

TEST(OpenAiEdit, FaultsNameTheField) {
    const auto fault = [](std::string_view body) {
        const auto edit = parse_openai_edit(kForm, body);
        EXPECT_FALSE(edit);
        return edit ? ApiFault(Error{}) : edit.error();
    };
    EXPECT_EQ(fault(form({{"prompt", "a"}})).field, "image");
    EXPECT_EQ(fault(form({{"image", "p"}})).field, "prompt");
    EXPECT_EQ(fault(form({{"image", ""}, {"prompt", "a"}})).field, "image");
    const auto several = fault(form({{"image[]", "p"}, {"image[]", "q"}, {"prompt", "a"}}));
    EXPECT_EQ(several.field, "image");
    EXPECT_EQ(several.error.kind, ErrorKind::kUnsupported);
    EXPECT_EQ(fault(form({{"image", "p"}, {"prompt", "a"}, {"n", "two"}})).field, "n");
    EXPECT_EQ(fault(form({{"image", "p"}, {"prompt", "a"}, {"prompt", "b"}})).field, "prompt");
    EXPECT_EQ(fault(form({{"image", "p"}, {"prompt", "\xFF"}})).field, "prompt");
}

TEST(OpenAiEdit, SaysWhatIsWrongWithAFormThatIsCutOff) {
    const std::string whole = form({{"image", "picture"}, {"prompt", "a dog"}});
    for (const std::size_t length : {std::size_t{0}, whole.size() / 2, whole.size() - 5}) {
        const auto edit = parse_openai_edit(kForm, whole.substr(0, length));
        ASSERT_FALSE(edit) << length;
        EXPECT_EQ(edit.error().error.kind, ErrorKind::kInvalidArgument);
    }
    EXPECT_FALSE(parse_openai_edit("multipart/form-data", whole));
}

TEST(OpenAiVariation, NeedsAPictureAndNoPrompt) {
    const auto variation = parse_openai_variation(kForm, form({{"image", "p"}, {"n", "2"}}));
    ASSERT_TRUE(variation) << variation.error().error.message;
    EXPECT_EQ(variation->request.spec.count, 2);
    EXPECT_TRUE(variation->request.spec.render.strength.has_value());
    const auto masked = parse_openai_variation(kForm, form({{"image", "p"}, {"mask", "m"}}));
    EXPECT_EQ(masked.error().field, "mask");
}

std::vector<ModelEntry> two_models() {
    ModelEntry demo;
    demo.name = "demo";
    demo.steps = 20;
    demo.is_default = true;
    ModelEntry other = demo;
    other.name = "other";
    other.steps = 4;
    other.is_default = false;
    return {demo, other};
}

TEST(OpenAiModel, OpenAisNamesStandForTheDefault) {
    auto request = generation(R"({"prompt":"a","model":"gpt-image-1"})");
    settle_openai_model(two_models(), request);
    EXPECT_EQ(request.spec.render.model, "");
    ASSERT_EQ(request.remarks.size(), 1U);
    EXPECT_EQ(request.remarks[0], "gpt-image-1 is not here; demo painted instead.");
    auto own = generation(R"({"prompt":"a","model":"other"})");
    settle_openai_model(two_models(), own);
    EXPECT_EQ(own.spec.render.model, "other");
    EXPECT_TRUE(own.remarks.empty());
}

TEST(OpenAiModel, QualityIsSteps) {
    const auto steps = [](const char* body) {
        auto request = generation(body);
        settle_openai_model(two_models(), request);
        return request.spec.render.steps;
    };
    EXPECT_EQ(steps(R"({"prompt":"a","quality":"low"})"), 10);
    EXPECT_EQ(steps(R"({"prompt":"a","quality":"hd","model":"other"})"), 6);
    EXPECT_EQ(steps(R"({"prompt":"a","quality":"medium"})"), std::nullopt);
    EXPECT_EQ(steps(R"({"prompt":"a","quality":"high","num_inference_steps":3})"), 3);
}

}  // namespace
}  // namespace tessera::api
