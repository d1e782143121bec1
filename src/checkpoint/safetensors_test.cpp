#include "checkpoint/safetensors.h"

#include "checkpoint/safetensors_bytes_test.h"
#include "checkpoint/safetensors_header.h"
#include "checkpoint/temporary_folder_test.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <optional>

namespace tessera {
namespace {

using testing::HasSubstr;

constexpr std::string_view kGood = R"({"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]},)"
                                   R"("__metadata__":{"format":"pt"},)"
                                   R"("e":{"dtype":"F16","shape":[3,0],"data_offsets":[4,4]},)"
                                   R"("a":{"shape":[],"data_offsets":[0,4],"dtype":"I32"}}   )";

TEST(Safetensors, ShowsTheTensorsInTheOrderOfTheirData) {
    const std::string bytes = safetensors_bytes(kGood, 12);
    const auto file = SafetensorsFile::parse(as_bytes(bytes));
    ASSERT_TRUE(file) << file.error().message;
    std::vector<std::string> names;
    for (const NamedTensor& entry : file->tensors()) {
        names.push_back(entry.name);
    }
    EXPECT_EQ(names, (std::vector<std::string>{"a", "e", "b"}));
    EXPECT_EQ(file->metadata(), (std::map<std::string, std::string>{{"format", "pt"}}));

    const TensorView* b = file->find("b");
    ASSERT_NE(b, nullptr);
    EXPECT_EQ(b->dtype, DType::kF32);
    EXPECT_EQ(b->shape, Shape{2});
    EXPECT_EQ(as_text(b->bytes).data(), bytes.data() + 8 + kGood.size() + 4);
    EXPECT_EQ(b->bytes.size(), 8U);
    EXPECT_TRUE(file->find("e")->bytes.empty());
    EXPECT_EQ(to_integers(*file->find("a")), std::vector<std::int64_t>{0x01010101});
    EXPECT_EQ(file->find("c"), nullptr);
}

TEST(Safetensors, AFileMayHaveNoTensors) {
    const auto bytes = safetensors_bytes("{}");
    const auto file = SafetensorsFile::parse(as_bytes(bytes));
    ASSERT_TRUE(file);
    EXPECT_TRUE(file->tensors().empty());
}

TEST(Safetensors, IgnoresUnknownFieldsOfATensor) {
    const auto bytes = safetensors_bytes(
        R"({"a":{"x":{"dtype":5,"y":[1,{"shape":2}]},"dtype":"U8","z":[[-1]],"shape":[1],)"
        R"("w":null,"data_offsets":[0,1],"v":1.5}})",
        1
    );
    const auto file = SafetensorsFile::parse(as_bytes(bytes));
    ASSERT_TRUE(file) << file.error().message;
    EXPECT_EQ(file->find("a")->shape, Shape{1});
}

TEST(Safetensors, EveryTruncationIsAnError) {
    const std::string whole = safetensors_bytes(kGood, 12);
    for (std::size_t length = 0; length < whole.size(); ++length) {
        // A copy of its own, so that the sanitizer sees a read beyond the end.
        const Bytes cut(
            as_bytes(whole).begin(), as_bytes(whole).begin() + static_cast<std::ptrdiff_t>(length)
        );
        const auto file = SafetensorsFile::parse(cut);
        ASSERT_FALSE(file) << length;
        EXPECT_EQ(file.error().kind, ErrorKind::kCorrupt);
    }
}

TEST(Safetensors, ACopyKeepsTheViewsAlive) {
    std::optional<SafetensorsFile> copy;
    {
        const auto file = SafetensorsFile::open(
            std::filesystem::path(TESSERA_TEST_DATA) / "sd21-tiny" / "expected.safetensors"
        );
        ASSERT_TRUE(file) << file.error().message;
        copy = *file;
    }
    const auto values = to_floats(*copy->find("unet.sample"));
    ASSERT_TRUE(values);
    EXPECT_EQ(values->size(), 2U * 4 * 12 * 8);
}

TEST(Safetensors, ReadsTheReferenceTensors) {
    const auto file = SafetensorsFile::open(
        std::filesystem::path(TESSERA_TEST_DATA) / "sd21-tiny" / "expected.safetensors"
    );
    ASSERT_TRUE(file) << file.error().message;
    const TensorView* ids = file->find("text.ids");
    ASSERT_NE(ids, nullptr);
    EXPECT_EQ(ids->shape, (Shape{2, 77}));
    EXPECT_EQ(to_integers(*ids)->front(), 998);

    const TensorView* hidden = file->find("text.last_hidden_state");
    ASSERT_NE(hidden, nullptr);
    EXPECT_EQ(hidden->shape, (Shape{2, 77, 40}));
    const auto values = to_floats(*hidden);
    ASSERT_TRUE(values);
    float largest = 0;
    for (const float value : *values) {
        largest = std::max(largest, std::abs(value));
    }
    EXPECT_NEAR(largest, 4.69251F, 1e-5F);
}

struct Refusal {
    std::string name;
    std::string bytes;
    std::string message;
    ErrorKind kind = ErrorKind::kCorrupt;
};

std::string one(std::string_view fields, std::size_t data_bytes = 4) {
    return safetensors_bytes(fmt::format(R"({{"w":{{{}}}}})", fields), data_bytes);
}

std::string two(std::string_view first, std::string_view second, std::size_t data_bytes) {
    constexpr auto* kForm = R"({{"a":{{"dtype":"U8","shape":[4],"data_offsets":{}}},)"
                            R"("b":{{"dtype":"U8","shape":[4],"data_offsets":{}}}}})";
    return safetensors_bytes(fmt::format(kForm, first, second), data_bytes);
}

std::string with_length(std::uint64_t length, std::string_view rest) {
    std::string bytes(reinterpret_cast<const char*>(&length), sizeof(length));
    return bytes.append(rest);
}

class SafetensorsRefusal : public ::testing::TestWithParam<Refusal> {};

TEST_P(SafetensorsRefusal, SaysWhatIsWrong) {
    const auto file = SafetensorsFile::parse(as_bytes(GetParam().bytes));
    ASSERT_FALSE(file);
    EXPECT_EQ(file.error().kind, GetParam().kind);
    EXPECT_EQ(file.error().message, GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    Length,
    SafetensorsRefusal,
    ::testing::Values(
        Refusal{"EmptyFile", "", "the file is empty"},
        Refusal{"ShortFile", "abc", "3 bytes cannot be a safetensors file"},
        Refusal{
            "LfsPointer",
            "version https://git-lfs.github.com/spec/v1\noid sha256:00",
            "this is a Git LFS pointer, not the weights: run `git lfs pull`"},
        Refusal{
            "NoHeader",
            with_length(0, "{}"),
            "a header of 0 bytes (1 to 100000000 are possible): this is no safetensors file"},
        Refusal{
            "HeaderBeyondTheCap",
            with_length(100'000'001, "{}"),
            "a header of 100000001 bytes (1 to 100000000 are possible): this is no safetensors "
            "file"},
        Refusal{
            "HeaderLengthThatWouldWrapAround",
            with_length(~0ULL, "{}"),
            "a header of 18446744073709551615 bytes (1 to 100000000 are possible): this is no "
            "safetensors file"},
        Refusal{
            "HeaderBeyondTheFile",
            with_length(3, "{}"),
            "the file ends after 2 of its header's 3 bytes"}
    ),
    [](const auto& test) { return test.param.name; }
);

INSTANTIATE_TEST_SUITE_P(
    Json,
    SafetensorsRefusal,
    ::testing::Values(
        Refusal{
            "BadUtf8",
            safetensors_bytes("{\"\xc3\":{}}"),
            "header: not valid JSON: byte 2 (0xc3) is not valid UTF-8"},
        Refusal{"NotJson", safetensors_bytes("{w}"), "header: not valid JSON at byte 2"},
        Refusal{"NotAnObject", safetensors_bytes("[]"), "header: not a JSON object"},
        Refusal{
            "PaddedWithNul",
            safetensors_bytes(std::string("{}\0", 3)),
            "header: not valid JSON at byte 3"},
        Refusal{
            "TooDeep",
            one(R"("x":)" + std::string(20, '[') + std::string(20, ']')),
            "header: JSON is nested more than 16 levels deep"},
        Refusal{
            "DuplicateTensor",
            safetensors_bytes(R"({"w":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},)"
                              R"("w":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})"),
            R"(header: the key "w" occurs twice)"},
        Refusal{
            "DuplicateField",
            one(R"("dtype":"F32","dtype":"F16","shape":[1],"data_offsets":[0,4])"),
            R"(header: the key "dtype" occurs twice)"},
        Refusal{
            "DuplicateMetadata",
            safetensors_bytes(R"({"__metadata__":{"a":"1","a":"2"}})"),
            R"(header: the key "a" occurs twice)"},
        Refusal{
            "MetadataWithNumber",
            safetensors_bytes(R"({"__metadata__":{"a":1}})"),
            "header: __metadata__ is not a map of texts to texts"},
        Refusal{
            "MetadataWithList",
            safetensors_bytes(R"({"__metadata__":{"a":["b"]}})"),
            "header: __metadata__ is not a map of texts to texts"},
        Refusal{
            "MetadataWithObject",
            safetensors_bytes(R"({"__metadata__":{"a":{"b":"c"}}})"),
            "header: __metadata__ is not a map of texts to texts"},
        Refusal{
            "MetadataIsText",
            safetensors_bytes(R"({"__metadata__":"a"})"),
            "header: __metadata__ is not a map of texts to texts"},
        Refusal{
            "MetadataIsList",
            safetensors_bytes(R"({"__metadata__":[]})"),
            "header: __metadata__ is not a map of texts to texts"}
    ),
    [](const auto& test) { return test.param.name; }
);

constexpr auto* kBadShape =
    R"(header: the shape of tensor "w" is not a list of whole numbers from 0 on)";
constexpr auto* kBadOffsets =
    R"(header: the data_offsets of tensor "w" are not two whole numbers from 0 on)";
constexpr auto* kNotAPair = R"(header: the data_offsets of tensor "w" are not a begin and an end)";
constexpr auto* kNotAnObject = R"(header: tensor "w" is not a JSON object)";

INSTANTIATE_TEST_SUITE_P(
    Fields,
    SafetensorsRefusal,
    ::testing::Values(
        Refusal{"TensorIsNumber", safetensors_bytes(R"({"w":1})"), kNotAnObject},
        Refusal{"TensorIsNull", safetensors_bytes(R"({"w":null})"), kNotAnObject},
        Refusal{"TensorIsList", safetensors_bytes(R"({"w":[]})"), kNotAnObject},
        Refusal{
            "SecondTensorIsList",
            safetensors_bytes(
                R"({"v":{"dtype":"U8","shape":[0],"data_offsets":[0,0],"x":1},"w":[]})"
            ),
            kNotAnObject},
        Refusal{
            "NoDType",
            one(R"("shape":[1],"data_offsets":[0,4])"),
            R"(header: tensor "w" has no dtype)"},
        Refusal{
            "NoShape",
            one(R"("dtype":"F32","data_offsets":[0,4])"),
            R"(header: tensor "w" has no shape)"},
        Refusal{
            "NoOffsets",
            one(R"("dtype":"F32","shape":[1])"),
            R"(header: tensor "w" has no data_offsets)"},
        Refusal{
            "DTypeIsNumber",
            one(R"("dtype":32,"shape":[1],"data_offsets":[0,4])"),
            R"(header: the dtype of tensor "w" is no text)"},
        Refusal{
            "DTypeIsList",
            one(R"("dtype":["F32"],"shape":[1],"data_offsets":[0,4])"),
            R"(header: the dtype of tensor "w" is no text)"},
        Refusal{
            "DTypeIsUnknown",
            one(R"("dtype":"F4","shape":[1],"data_offsets":[0,4])"),
            R"(header: tensor "w" has the unknown dtype "F4"; save it again as F16 or F32)",
            ErrorKind::kUnsupported},
        Refusal{"ShapeIsNumber", one(R"("dtype":"F32","shape":1,"data_offsets":[0,4])"), kBadShape},
        Refusal{
            "ShapeIsObject", one(R"("dtype":"F32","shape":{},"data_offsets":[0,4])"), kBadShape},
        Refusal{
            "ShapeIsNegative",
            one(R"("dtype":"F32","shape":[-1],"data_offsets":[0,4])"),
            kBadShape},
        Refusal{
            "ShapeIsFraction",
            one(R"("dtype":"F32","shape":[1.0],"data_offsets":[0,4])"),
            kBadShape},
        Refusal{
            "ShapeIsText", one(R"("dtype":"F32","shape":["1"],"data_offsets":[0,4])"), kBadShape},
        Refusal{
            "ShapeIsNested", one(R"("dtype":"F32","shape":[[1]],"data_offsets":[0,4])"), kBadShape},
        Refusal{
            "ShapeBeyond63Bits",
            one(R"("dtype":"F32","shape":[9223372036854775808],"data_offsets":[0,4])"),
            kBadShape},
        Refusal{
            "ShapeBeyond64Bits",
            one(R"("dtype":"F32","shape":[18446744073709551616],"data_offsets":[0,4])"),
            kBadShape},
        Refusal{
            "TooManyDimensions",
            one(R"("dtype":"F32","shape":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,)"
                R"(1,1,1,1,1],"data_offsets":[0,4])"),
            R"(header: tensor "w" has more than 32 dimensions)"},
        Refusal{
            "OffsetsAreText", one(R"("dtype":"F32","shape":[1],"data_offsets":"04")"), kBadOffsets},
        Refusal{"OneOffset", one(R"("dtype":"F32","shape":[1],"data_offsets":[0])"), kNotAPair},
        Refusal{
            "ThreeOffsets",
            one(R"("dtype":"F32","shape":[1],"data_offsets":[0,4,4])"),
            kBadOffsets},
        Refusal{
            "NegativeOffset",
            one(R"("dtype":"F32","shape":[1],"data_offsets":[-4,0])"),
            kBadOffsets},
        Refusal{
            "FractionalOffset",
            one(R"("dtype":"F32","shape":[1],"data_offsets":[0.0,4])"),
            kBadOffsets},
        Refusal{
            "EndBeforeBegin", one(R"("dtype":"F32","shape":[1],"data_offsets":[4,0])"), kNotAPair}
    ),
    [](const auto& test) { return test.param.name; }
);

INSTANTIATE_TEST_SUITE_P(
    Data,
    SafetensorsRefusal,
    ::testing::Values(
        Refusal{
            "ProductOverflows",
            one(R"("dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0])", 0),
            R"(the shape [4294967296, 4294967296] of tensor "w" is impossibly large)"},
        Refusal{
            "BytesOverflow",
            one(R"("dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,0])", 0),
            R"(the shape [4611686018427387904] of tensor "w" is impossibly large)"},
        Refusal{
            "ProductOverflowsBeforeAZero",
            one(R"("dtype":"F32","shape":[4294967296,4294967296,0],"data_offsets":[0,0])", 0),
            R"(the shape [4294967296, 4294967296, 0] of tensor "w" is impossibly large)"},
        Refusal{
            "SizeDoesNotFit",
            one(R"("dtype":"F16","shape":[1],"data_offsets":[0,4])"),
            R"(tensor "w" of shape [1] and dtype F16 needs 2 bytes but is given 4)"},
        Refusal{
            "BeyondTheFile",
            one(R"("dtype":"F32","shape":[1],"data_offsets":[0,4])", 3),
            R"(tensor "w" ends at byte 4 of data but there are only 3: the file is cut short)"},
        Refusal{
            "FarBeyondTheFile",
            one(R"("dtype":"U8","shape":[4],"data_offsets":[18446744073709551611,)"
                R"(18446744073709551615])"),
            R"(tensor "w" ends at byte 18446744073709551615 of data but there are only 4: the file )"
            "is cut short"},
        Refusal{
            "Overlap",
            two("[0,4]", "[2,6]", 6),
            R"(the data of tensor "b" begins at byte 2 and not at 4, so tensors overlap)"},
        Refusal{
            "SamePlace",
            two("[0,4]", "[0,4]", 4),
            R"(the data of tensor "b" begins at byte 0 and not at 4, so tensors overlap)"},
        Refusal{
            "Hole",
            two("[5,9]", "[0,4]", 9),
            R"(the data of tensor "a" begins at byte 5 and not at 4, so tensors leave a hole)"},
        Refusal{
            "HoleAtTheBegin",
            two("[1,5]", "[5,9]", 9),
            R"(the data of tensor "a" begins at byte 1 and not at 0, so tensors leave a hole)"},
        Refusal{
            "DataAfterTheLast",
            two("[0,4]", "[4,8]", 9),
            "the last 1 bytes of data belong to no tensor"},
        Refusal{
            "DataWithoutTensors",
            safetensors_bytes("{}", 1),
            "the last 1 bytes of data belong to no tensor"}
    ),
    [](const auto& test) { return test.param.name; }
);

class SafetensorsOnDisk : public TemporaryFolderTest {};

TEST_F(SafetensorsOnDisk, ErrorsNameTheFileTheTensorAndTheMend) {
    const auto path =
        put("unet.safetensors", one(R"("dtype":"F32","shape":[1],"data_offsets":[0,4])", 3));
    const auto file = SafetensorsFile::open(path);
    ASSERT_FALSE(file);
    EXPECT_EQ(
        file.error().message,
        path.string() + R"(: tensor "w" ends at byte 4 of data but there are only 3: the file is )"
                        "cut short; download it again"
    );
}

TEST_F(SafetensorsOnDisk, AMissingFileIsNotFound) {
    const auto file = SafetensorsFile::open(folder_ / "none.safetensors");
    ASSERT_FALSE(file);
    EXPECT_EQ(file.error().kind, ErrorKind::kNotFound);
    EXPECT_THAT(file.error().message, HasSubstr("none.safetensors"));
}

TEST_F(SafetensorsOnDisk, IdentityChangesWhenTheFileIsReplaced) {
    const auto path = put("a.safetensors", safetensors_bytes(kGood, 12));
    const auto before = SafetensorsFile::open(path)->identity();
    EXPECT_EQ(SafetensorsFile::open(path)->identity(), before);
    put("a.safetensors", safetensors_bytes(kGood, 12));
    EXPECT_NE(SafetensorsFile::open(path)->identity(), before);
}

}  // namespace
}  // namespace tessera
