#include "checkpoint/safetensors_writer.h"
#include "checkpoint/temporary_folder_test.h"
#include "models/layers.h"
#include "models/onnx_file.h"
#include "models/rrdb_net.h"
#include "models/srvgg_net_compact.h"

#include <gmock/gmock.h>
#include <onnx/checker.h>

#include <functional>
#include <map>

namespace tessera {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

Weights golden(const char* name) {
    return Weights::open(fs::path(TESSERA_TEST_DATA) / "upscaler" / name).value();
}

class UpscalerNetworks : public TemporaryFolderTest {
  protected:
    using Shapes = std::map<std::string, Shape>;

    static Shapes shapes_of(const std::vector<Parameter>& parameters) {
        Shapes shapes;
        for (const auto& [name, shape] : parameters) {
            shapes.emplace(name, shape);
        }
        return shapes;
    }
    static Shapes rrdb_shapes() {
        return shapes_of(
            rrdb_net_parameters(RrdbNetConfig::read(golden("rrdb_x4.safetensors")).value())
        );
    }
    static Shapes srvgg_shapes() {
        return shapes_of(srvgg_net_compact_parameters(
            SrvggNetCompactConfig::read(golden("srvgg_x4.safetensors")).value()
        ));
    }

    /// A file of zeros with these tensors.
    Weights weights(const Shapes& shapes) {
        std::size_t largest = 0;
        for (const auto& [name, shape] : shapes) {
            largest = std::max(largest, element_count(shape));
        }
        const std::vector<float> zeros(largest);
        std::vector<NamedTensor> tensors;
        for (const auto& [name, shape] : shapes) {
            const auto values = std::span(zeros).first(element_count(shape));
            tensors.push_back({name, {DType::kF32, shape, std::as_bytes(values)}});
        }
        const auto path = folder_ / "network.safetensors";
        EXPECT_TRUE(write_safetensors(path, tensors));
        return Weights::open(path).value();
    }

    static Shapes renamed(
        const Shapes& shapes, const std::function<std::string(const std::string&)>& rename
    ) {
        Shapes result;
        for (const auto& [name, shape] : shapes) {
            result.emplace(rename(name), shape);
        }
        return result;
    }
};

TEST_F(UpscalerNetworks, AreReadOffNamesAndShapes) {
    const auto x4 = RrdbNetConfig::read(golden("rrdb_x4.safetensors"));
    ASSERT_TRUE(x4) << x4.error().message;
    EXPECT_EQ(x4->scale(), 4);
    EXPECT_EQ(x4->features, 10);
    EXPECT_EQ(x4->growth, 6);
    EXPECT_EQ(x4->blocks, 2);
    EXPECT_EQ(x4->unshuffle, 1);

    const auto x2 = RrdbNetConfig::read(golden("rrdb_x2.safetensors"));
    ASSERT_TRUE(x2) << x2.error().message;
    EXPECT_EQ(x2->scale(), 2);
    EXPECT_EQ(x2->unshuffle, 2);

    const auto old = RrdbNetConfig::read(golden("rrdb_x4_old_names.safetensors"));
    ASSERT_TRUE(old) << old.error().message;
    EXPECT_EQ(old->scale(), 4);
    EXPECT_EQ(old->blocks, 2);
    EXPECT_EQ(old->names, RrdbNetConfig::Names::kSequential);

    const auto compact = SrvggNetCompactConfig::read(golden("srvgg_x4.safetensors"));
    ASSERT_TRUE(compact) << compact.error().message;
    EXPECT_EQ(compact->scale, 4);
    EXPECT_EQ(compact->features, 10);
    EXPECT_EQ(compact->convs, 4);
    EXPECT_TRUE(compact->prelu);
}

TEST_F(UpscalerNetworks, AreToldApart) {
    for (const char* name :
         {"rrdb_x2.safetensors", "rrdb_x4.safetensors", "rrdb_x4_old_names.safetensors"}) {
        EXPECT_TRUE(RrdbNetConfig::recognises(golden(name))) << name;
        EXPECT_FALSE(SrvggNetCompactConfig::recognises(golden(name))) << name;
    }
    EXPECT_FALSE(RrdbNetConfig::recognises(golden("srvgg_x4.safetensors")));
    EXPECT_TRUE(SrvggNetCompactConfig::recognises(golden("srvgg_x4.safetensors")));
    const auto unet = Weights::open(
        fs::path(TESSERA_TEST_DATA) / "sd15-tiny/unet/diffusion_pytorch_model.safetensors"
    );
    ASSERT_TRUE(unet) << unet.error().message;
    EXPECT_FALSE(RrdbNetConfig::recognises(*unet));
    EXPECT_FALSE(SrvggNetCompactConfig::recognises(*unet));
}

TEST_F(UpscalerNetworks, MayStandBelowAPrefixOfTheTraining) {
    for (const std::string prefix : {"params.", "params_ema."}) {
        const auto below = [&](const std::string& name) { return prefix + name; };
        const auto rrdb = RrdbNetConfig::read(weights(renamed(rrdb_shapes(), below)));
        ASSERT_TRUE(rrdb) << rrdb.error().message;
        EXPECT_EQ(rrdb->prefix, prefix);
        const auto file = weights(renamed(srvgg_shapes(), below));
        const auto compact = SrvggNetCompactConfig::read(file);
        ASSERT_TRUE(compact) << compact.error().message;
        EXPECT_TRUE(write_srvgg_net_compact(*compact, file, GraphDialect::kOnnx));
    }
}

TEST_F(UpscalerNetworks, TakeTheAveragedWeightsOfATraining) {
    auto both = renamed(rrdb_shapes(), [](const std::string& name) { return "params." + name; });
    both.merge(renamed(rrdb_shapes(), [](const std::string& name) { return "params_ema." + name; })
    );
    const auto config = RrdbNetConfig::read(weights(both));
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(config->prefix, "params_ema.");
}

TEST_F(UpscalerNetworks, MayHaveTheNamesOfTheFirstRepository) {
    const auto config = RrdbNetConfig::read(weights(renamed(rrdb_shapes(), [](std::string name) {
        const std::pair<const char*, const char*> words[] = {
            {"conv_body", "trunk_conv"},
            {"body.", "RRDB_trunk."},
            {"rdb", "RDB"},
            {"conv_up", "upconv"},
            {"conv_hr", "HRconv"}};
        for (const auto& [now, before] : words) {
            if (const auto at = name.find(now); at != std::string::npos) {
                name.replace(at, std::string_view(now).size(), before);
            }
        }
        return name;
    })));
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(config->names, RrdbNetConfig::Names::kEsrgan);
    EXPECT_EQ(config->scale(), 4);
}

TEST_F(UpscalerNetworks, OfOldNamesTellTheirScaleByTheirLength) {
    for (int doublings = 0; doublings <= 3; ++doublings) {
        RrdbNetConfig config;
        config.features = 4;
        config.growth = 2;
        config.blocks = 1;
        config.doublings = doublings;
        config.names = RrdbNetConfig::Names::kSequential;
        const auto read = RrdbNetConfig::read(weights(shapes_of(rrdb_net_parameters(config))));
        ASSERT_TRUE(read) << read.error().message;
        EXPECT_EQ(read->scale(), 1 << doublings);
    }
}

TEST_F(UpscalerNetworks, WithoutLearnedSlopesHaveFixedOnes) {
    auto shapes = srvgg_shapes();
    for (const int place : {1, 3, 5, 7, 9}) {
        ASSERT_EQ(shapes.erase(fmt::format("body.{}.weight", place)), 1U);
    }
    const auto file = weights(shapes);
    const auto config = SrvggNetCompactConfig::read(file);
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_FALSE(config->prelu);
    const auto model = write_srvgg_net_compact(*config, file, GraphDialect::kOnnx);
    ASSERT_TRUE(model);
    EXPECT_THAT(model->proto, HasSubstr("LeakyRelu"));
    EXPECT_THAT(model->proto, testing::Not(HasSubstr("PRelu")));
}

TEST_F(UpscalerNetworks, OfScaleOneKeepTheSize) {
    SrvggNetCompactConfig config;
    config.features = 4;
    config.convs = 2;
    const auto read =
        SrvggNetCompactConfig::read(weights(shapes_of(srvgg_net_compact_parameters(config))));
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->scale, 1);
    EXPECT_EQ(read->reach(), 4);
}

TEST_F(UpscalerNetworks, WithATensorThatIsLeftOverAreOfAnotherArchitecture) {
    auto rrdb = rrdb_shapes();
    rrdb["body.0.rdb1.conv1x1.weight"] = {6, 10, 1, 1};
    const auto first = RrdbNetConfig::read(weights(rrdb));
    ASSERT_FALSE(first);
    EXPECT_EQ(first.error().kind, ErrorKind::kUnsupported);
    EXPECT_THAT(first.error().message, HasSubstr("conv1x1"));

    auto srvgg = srvgg_shapes();
    srvgg["attention.weight"] = {4, 4};
    const auto second = SrvggNetCompactConfig::read(weights(srvgg));
    ASSERT_FALSE(second);
    EXPECT_THAT(second.error().message, HasSubstr("attention.weight"));
}

TEST_F(UpscalerNetworks, NameTheTensorThatIsMissing) {
    for (const char* name :
         {"conv_first.weight", "conv_last.weight", "body.1.rdb2.conv3.bias", "conv_hr.weight"}) {
        auto shapes = rrdb_shapes();
        ASSERT_EQ(shapes.erase(name), 1U);
        const auto config = RrdbNetConfig::read(weights(shapes));
        ASSERT_FALSE(config) << name;
        EXPECT_EQ(config.error().kind, ErrorKind::kNotFound);
        EXPECT_THAT(config.error().message, HasSubstr(name));
    }
    auto shapes = srvgg_shapes();
    shapes.erase("body.4.bias");
    const auto config = SrvggNetCompactConfig::read(weights(shapes));
    ASSERT_FALSE(config);
    EXPECT_THAT(config.error().message, HasSubstr("body.4.bias"));
}

TEST_F(UpscalerNetworks, RefuseShapesThatContradictEachOther) {
    const std::pair<const char*, Shape> rrdb_cases[] = {
        {"conv_first.weight", {10, 3, 3}},
        {"conv_first.weight", {10, 3, 5, 5}},
        {"conv_first.weight", {0, 3, 3, 3}},
        {"conv_first.weight", {12, 3, 3, 3}},
        {"body.0.rdb1.conv1.weight", {1000, 10, 3, 3}},
        {"body.1.rdb3.conv5.weight", {10, 34, 1, 1}},
        {"conv_last.weight", {}},
        {"conv_last.bias", {4}},
    };
    for (const auto& [name, shape] : rrdb_cases) {
        auto shapes = rrdb_shapes();
        shapes[name] = shape;
        const auto config = RrdbNetConfig::read(weights(shapes));
        ASSERT_FALSE(config) << name << " " << shape_text(shape);
        EXPECT_EQ(config.error().kind, ErrorKind::kCorrupt) << config.error().message;
    }
    auto shapes = srvgg_shapes();
    shapes["body.3.weight"] = {1};
    const auto config = SrvggNetCompactConfig::read(weights(shapes));
    ASSERT_FALSE(config);
    EXPECT_EQ(config.error().kind, ErrorKind::kCorrupt);
}

TEST_F(UpscalerNetworks, AreForRgbPictures) {
    for (const int channels : {1, 4, 5, 27}) {
        auto shapes = rrdb_shapes();
        shapes["conv_first.weight"] = {10, channels, 3, 3};
        const auto config = RrdbNetConfig::read(weights(shapes));
        ASSERT_FALSE(config) << channels;
        EXPECT_EQ(config.error().kind, ErrorKind::kUnsupported);
        EXPECT_THAT(config.error().message, HasSubstr("RGB"));
    }
    auto shapes = srvgg_shapes();
    shapes["body.10.weight"] = {16, 10, 3, 3};
    shapes["body.10.bias"] = {16};
    const auto config = SrvggNetCompactConfig::read(weights(shapes));
    ASSERT_FALSE(config);
    EXPECT_EQ(config.error().kind, ErrorKind::kUnsupported);
}

TEST_F(UpscalerNetworks, PassTheOnnxCheckerInStandardOperators) {
    const auto rrdb = golden("rrdb_x2.safetensors");
    const auto srvgg = golden("srvgg_x4.safetensors");
    const Result<OnnxModel> models[] = {
        write_rrdb_net(RrdbNetConfig::read(rrdb).value(), rrdb, GraphDialect::kOnnx),
        write_srvgg_net_compact(
            SrvggNetCompactConfig::read(srvgg).value(), srvgg, GraphDialect::kOnnx
        ),
    };
    for (const auto& model : models) {
        ASSERT_TRUE(model) << model.error().message;
        EXPECT_THAT(model->proto, testing::Not(HasSubstr("com.microsoft")));
        ASSERT_TRUE(write_onnx_file(*model, folder_));
        EXPECT_NO_THROW(onnx::checker::check_model((folder_ / "upscaler.onnx").string()));
    }
}

}  // namespace
}  // namespace tessera
