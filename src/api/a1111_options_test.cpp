#include "api/a1111_options.h"

#include <gtest/gtest.h>

namespace tessera::api {
namespace {

std::vector<ModelEntry> one_model() {
    ModelEntry demo;
    demo.name = "demo";
    demo.hash = "0123456789abcdef";
    demo.is_default = true;
    return {demo};
}

TEST(A1111Options, ComeBackWholeAsTheyWereGiven) {
    A1111Options options;
    options.model = "demo";
    options.clip_skip = 2;
    options.format = "jpeg";
    options.rng = "cuda";
    options.later_seed_offset = 31337;
    const auto again = changed_options({}, options_json(options, one_model()), "", one_model());
    ASSERT_TRUE(again) << again.error().error.message;
    EXPECT_EQ(*again, options);
}

TEST(A1111Options, ChangeAsAWholeOrNotAtAll) {
    const A1111Options before;
    const auto changed = changed_options(
        before, R"({"CLIP_stop_at_last_layers":2,"samples_format":"tiff"})", "", one_model()
    );
    ASSERT_FALSE(changed);
    EXPECT_EQ(changed.error().field, "samples_format");
    EXPECT_EQ(
        changed_options(before, R"({"eta_noise_seed_delta":-1})", "", one_model()).error().field,
        "eta_noise_seed_delta"
    );
}

TEST(A1111Options, AModelIsKnownByTitleNameFileAndHash) {
    for (const char* name :
         {"demo [0123456789]", "demo", "demo.safetensors", "0123456789", "0123456789abcdef", ""}) {
        const auto models = one_model();
        const auto found = find_model(models, "m", name);
        ASSERT_TRUE(found) << name;
        EXPECT_EQ((*found)->name, "demo") << name;
    }
    const auto models = one_model();
    EXPECT_EQ(find_model(models, "m", "Demo2").error().error.kind, ErrorKind::kNotFound);
    EXPECT_EQ(find_model({}, "m", "").value(), nullptr);
}

}  // namespace
}  // namespace tessera::api
