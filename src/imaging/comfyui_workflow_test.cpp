#include "imaging/comfyui_workflow.h"

#include "imaging/metadata_file_test.h"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>
#include <rapidcheck.h>

namespace tessera {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

nlohmann::json default_graph() {
    return nlohmann::json::parse(metadata_file("comfyui_default.json"));
}

Error refusal(const std::string& json) {
    const auto read = read_comfyui_workflow(json);
    EXPECT_FALSE(read) << json.substr(0, 200);
    return read ? Error{ErrorKind::kInternal, ""} : read.error();
}

TEST(ComfyuiWorkflow, ReadsTheDefaultOne) {
    const auto read = read_comfyui_workflow(metadata_file("comfyui_default.json"));
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->program, "ComfyUI");
    EXPECT_EQ(
        read->prompt, "beautiful scenery nature glass bottle landscape, , purple galaxy bottle,"
    );
    EXPECT_EQ(read->negative_prompt, "text, watermark");
    EXPECT_EQ(read->steps, 20);
    EXPECT_EQ(read->cfg, 8.0);
    EXPECT_EQ(read->seed, 156680208700286U);
    EXPECT_EQ(read->sampler, "euler");
    EXPECT_EQ(read->scheduler, "normal");
    EXPECT_EQ(read->width, 512);
    EXPECT_EQ(read->height, 512);
    EXPECT_EQ(read->model, "v1-5-pruned-emaonly.ckpt");
    EXPECT_EQ(read->noise, ForeignNoise::kTorchCpu);
    EXPECT_FALSE(read->from_picture);
    EXPECT_THAT(read->not_honoured, IsEmpty());
    EXPECT_TRUE(check_complete(*read));
}

TEST(ComfyuiWorkflow, FollowsLorasClipSkipAndTexts) {
    const auto read = read_comfyui_workflow(metadata_file("comfyui_lora.json"));
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->prompt, "a castle on a hill, oil painting");
    EXPECT_EQ(read->negative_prompt, "(worst quality:1.4), embedding:EasyNegative, \\[x\\]");
    EXPECT_EQ(read->clip_skip, 2);
    EXPECT_THAT(
        read->loras,
        ElementsAre(
            ForeignLora{"detail/add_detail.safetensors", 0.6, 0.75},
            ForeignLora{"oil_painting.safetensors", 1.0, 1.0}
        )
    );
    EXPECT_THAT(
        read->not_honoured,
        ElementsAre(
            HasSubstr("node 13 VAELoader takes another VAE"),
            HasSubstr("is weighed otherwise"),
            HasSubstr("\"embedding:\""),
            HasSubstr("node 5 EmptyLatentImage makes 4 pictures out of one seed"),
            HasSubstr("sampler dpmpp_2m_sde_gpu draws noise in each step")
        )
    );
}

TEST(ComfyuiWorkflow, ASecondPassIsHires) {
    const auto read = read_comfyui_workflow(metadata_file("comfyui_hires.json"));
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->width, 768);
    EXPECT_EQ(read->steps, 12);
    EXPECT_EQ(read->seed, 89848141647836U);
    ASSERT_TRUE(read->hires);
    ForeignHires hires;
    hires.width = 1152;
    hires.height = 1152;
    hires.upscaler = "Latent (nearest-exact)";
    hires.denoise = 0.5;
    hires.steps = 14;
    hires.cfg = 8.0;
    hires.sampler = "dpmpp_2m";
    hires.scheduler = "simple";
    EXPECT_EQ(read->hires, hires);
    EXPECT_FALSE(read->denoise);
    EXPECT_THAT(read->not_honoured, Contains(HasSubstr("has a seed of its own")));
}

TEST(ComfyuiWorkflow, AnInitPictureIsImageToImage) {
    const auto read = read_comfyui_workflow(metadata_file("comfyui_img2img.json"));
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_TRUE(read->from_picture);
    EXPECT_EQ(read->init_picture, "example.png");
    EXPECT_EQ(read->denoise, 0.87);
    EXPECT_EQ(read->width, 768);
    EXPECT_EQ(read->height, 512);
    EXPECT_TRUE(read->steps_are_taken);
    EXPECT_EQ(whole_schedule_steps(*read->steps, *read->denoise, read->steps_are_taken), 22);
    EXPECT_FALSE(read->hires);
    EXPECT_THAT(read->not_honoured, IsEmpty());
}

TEST(ComfyuiWorkflow, FollowsACustomSampler) {
    const auto read = read_comfyui_workflow(metadata_file("comfyui_custom_sampler.json"));
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->prompt, "a lighthouse");
    EXPECT_EQ(read->seed, 18446744073709551615U);
    EXPECT_EQ(read->sampler, "euler_ancestral");
    EXPECT_EQ(read->scheduler, "karras");
    EXPECT_EQ(read->steps, 30);
    EXPECT_EQ(read->cfg, 6.5);
    EXPECT_EQ(read->width, 640);
    EXPECT_EQ(read->model, "v1-5-pruned-emaonly.ckpt");
    EXPECT_THAT(
        read->not_honoured,
        ElementsAre(
            "node 4 ControlNetApplyAdvanced",
            "node 14 FreeU_V2",
            HasSubstr("sampler euler_ancestral draws noise")
        )
    );
}

TEST(ComfyuiWorkflow, AdvancedStepsBecomeAStrength) {
    auto graph = nlohmann::json::parse(metadata_file("comfyui_img2img.json"));
    auto& sampler = graph["3"];
    sampler["class_type"] = "KSamplerAdvanced";
    sampler["inputs"].erase("denoise");
    sampler["inputs"].erase("seed");
    sampler["inputs"]["noise_seed"] = 5;
    sampler["inputs"]["start_at_step"] = 6;
    sampler["inputs"]["end_at_step"] = 10000;
    sampler["inputs"]["add_noise"] = "enable";
    const auto read = read_comfyui_workflow(graph.dump());
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->steps, 14);
    EXPECT_EQ(read->denoise, 0.7);
    EXPECT_EQ(whole_schedule_steps(14, 0.7, true), 20);
    EXPECT_THAT(read->not_honoured, IsEmpty());
    sampler["inputs"]["start_at_step"] = 20;
    EXPECT_THAT(refusal(graph.dump()).message, HasSubstr("starts at step 20 of 20"));
}

TEST(ComfyuiWorkflow, ConcatenatedPromptsAreBreaksAndCombinedOnesAreListed) {
    auto graph = default_graph();
    graph["20"] = {
        {"class_type", "CLIPTextEncode"}, {"inputs", {{"text", "at dawn"}, {"clip", {"4", 1}}}}};
    graph["21"] = {
        {"class_type", "ConditioningConcat"},
        {"inputs", {{"conditioning_to", {"6", 0}}, {"conditioning_from", {"20", 0}}}}};
    graph["22"] = {
        {"class_type", "ConditioningCombine"},
        {"inputs", {{"conditioning_1", {"7", 0}}, {"conditioning_2", {"20", 0}}}}};
    graph["3"]["inputs"]["positive"] = {"21", 0};
    graph["3"]["inputs"]["negative"] = {"22", 0};
    const auto read = read_comfyui_workflow(graph.dump());
    ASSERT_TRUE(read);
    EXPECT_THAT(read->prompt, HasSubstr("galaxy bottle, BREAK at dawn"));
    EXPECT_EQ(read->negative_prompt, "text, watermark");
    EXPECT_THAT(
        read->not_honoured,
        ElementsAre("node 22 ConditioningCombine mixes in a second prompt, \"at dawn\"")
    );
}

TEST(ComfyuiWorkflow, ASeedThatCannotBeFollowedIsAbsentAndSaid) {
    auto graph = default_graph();
    graph["3"]["inputs"]["seed"] = {"30", 0};
    graph["30"] = {{"class_type", "Seed Oracle"}, {"inputs", {{"mood", "sunny"}}}};
    const auto read = read_comfyui_workflow(graph.dump());
    ASSERT_TRUE(read);
    EXPECT_FALSE(read->seed);
    EXPECT_THAT(
        read->not_honoured,
        ElementsAre("node 3 KSampler: seed comes from node 30 Seed Oracle, which cannot be followed"
        )
    );
    EXPECT_THAT(check_complete(*read).error().message, HasSubstr("seed"));
}

TEST(ComfyuiWorkflow, LinksInACircleEnd) {
    auto graph = default_graph();
    graph["5"] = {
        {"class_type", "LatentUpscaleBy"}, {"inputs", {{"samples", {"3", 0}}, {"scale_by", 2.0}}}};
    EXPECT_EQ(refusal(graph.dump()).kind, ErrorKind::kExhausted);
    graph = default_graph();
    graph["6"] = {{"class_type", "Reroute"}, {"inputs", {{"", {"6", 0}}}}};
    EXPECT_THAT(refusal(graph.dump()).message, HasSubstr("circle"));
    graph = default_graph();
    graph["6"]["inputs"]["text"] = {"6", 0};
    EXPECT_THAT(refusal(graph.dump()).message, HasSubstr("circle"));
    graph = default_graph();
    graph["4"] = {{"class_type", "FreeU"}, {"inputs", {{"model", {"4", 0}}, {"clip", {"4", 1}}}}};
    EXPECT_THAT(refusal(graph.dump()).message, HasSubstr("circle"));
}

TEST(ComfyuiWorkflow, PromptsThatDoubleAtEachNodeEnd) {
    auto graph = default_graph();
    for (int node = 100; node < 140; ++node) {
        const std::string source = node == 100 ? "6" : std::to_string(node - 1);
        graph[std::to_string(node)] = {
            {"class_type", "ConditioningConcat"},
            {"inputs", {{"conditioning_to", {source, 0}}, {"conditioning_from", {source, 0}}}}};
    }
    graph["3"]["inputs"]["positive"] = {"139", 0};
    EXPECT_EQ(refusal(graph.dump()).kind, ErrorKind::kExhausted);
}

TEST(ComfyuiWorkflow, LiesAreNamed) {
    EXPECT_EQ(refusal("").kind, ErrorKind::kCorrupt);
    EXPECT_EQ(refusal("[]").kind, ErrorKind::kCorrupt);
    EXPECT_EQ(refusal("{}").kind, ErrorKind::kCorrupt);
    EXPECT_EQ(refusal("{\"1\": {\"class_type\": 5, \"inputs\": {}}}").kind, ErrorKind::kCorrupt);
    EXPECT_EQ(refusal(std::string(100'000, '[')).kind, ErrorKind::kExhausted);
    EXPECT_EQ(refusal(std::string(9U << 20U, ' ')).kind, ErrorKind::kExhausted);
    const auto changed = [](const char* node, const char* input, const nlohmann::json& value) {
        auto graph = default_graph();
        graph[node]["inputs"][input] = value;
        return refusal(graph.dump()).message;
    };
    EXPECT_THAT(changed("3", "steps", 0), HasSubstr("node 3 KSampler: steps: 0"));
    EXPECT_THAT(changed("3", "steps", 1e300), HasSubstr("steps"));
    EXPECT_THAT(changed("3", "cfg", "much"), HasSubstr("cfg: much"));
    EXPECT_THAT(changed("3", "seed", -1), HasSubstr("no seed"));
    EXPECT_THAT(changed("3", "denoise", 7), HasSubstr("from 0 to 1"));
    EXPECT_THAT(changed("3", "steps", nlohmann::json::object()), HasSubstr("not of the kind"));
    EXPECT_THAT(changed("6", "text", 5), HasSubstr("text of node 6 CLIPTextEncode"));
    EXPECT_THAT(changed("5", "width", 1 << 30), HasSubstr("65536"));
    EXPECT_THAT(changed("9", "images", {"99", 0}), HasSubstr("node 99, which is not there"));
    EXPECT_THAT(
        changed("9", "images", {"4", 0}),
        AllOf(HasSubstr("does not come from a sampler"), HasSubstr("node 4"))
    );
    EXPECT_THAT(changed("9", "images", "none"), HasSubstr("no node that saves"));
}

TEST(ComfyuiWorkflow, SaysThatItTakesTheFirstOfSeveralPictures) {
    auto graph = default_graph();
    graph["10"] = graph["9"];
    const auto read = read_comfyui_workflow(graph.dump());
    ASSERT_TRUE(read);
    EXPECT_THAT(read->not_honoured, ElementsAre(HasSubstr("several pictures")));
}

TEST(ComfyuiWorkflow, AnyChangeOfAGraphIsNoDanger) {
    const std::vector<std::string> graphs{
        metadata_file("comfyui_default.json"),
        metadata_file("comfyui_lora.json"),
        metadata_file("comfyui_custom_sampler.json")};
    EXPECT_TRUE(rc::check([&] {
        std::string graph = *rc::gen::elementOf(graphs);
        const int changes = *rc::gen::inRange(1, 20);
        for (int change = 0; change < changes; ++change) {
            const auto at = *rc::gen::inRange<std::size_t>(0, graph.size());
            const auto from = *rc::gen::inRange<std::size_t>(0, graph.size());
            graph.replace(at, 3, graph.substr(from, 3));
        }
        const auto read = read_comfyui_workflow(graph);
        RC_ASSERT(read || !read.error().message.empty());
    }));
}

}  // namespace
}  // namespace tessera
