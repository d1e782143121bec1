#include "checkpoint/safetensors_writer.h"

#include "checkpoint/safetensors.h"
#include "checkpoint/temporary_folder_test.h"

#include <gmock/gmock.h>
#include <rapidcheck.h>

#include <algorithm>

namespace tessera {
namespace {

template <class T>
NamedTensor named(std::string name, DType dtype, const std::vector<T>& values) {
    return {
        std::move(name),
        {dtype, {static_cast<std::int64_t>(values.size())}, std::as_bytes(std::span(values))}};
}

TEST(SafetensorsWriter, WhatItWritesReadsBackBitForBit) {
    EXPECT_TRUE(rc::check([](const std::vector<float>& floats,
                             const std::vector<std::uint16_t>& halves,
                             const std::vector<std::uint8_t>& small) {
        const std::vector tensors{
            named("small", DType::kU8, small),
            named("half \"\n\u00e9", DType::kF16, halves),
            named("bfloat", DType::kBF16, halves),
            named("float", DType::kF32, floats),
        };
        const auto bytes = encode_safetensors(tensors, {{"format", "pt"}});
        RC_ASSERT(bytes.has_value());
        const auto file = SafetensorsFile::parse(*bytes);
        RC_ASSERT(file.has_value());
        RC_ASSERT(file->metadata().at("format") == "pt");
        RC_ASSERT(file->tensors().size() == tensors.size());
        for (const auto& [name, tensor] : tensors) {
            const TensorView* found = file->find(name);
            RC_ASSERT(found != nullptr);
            RC_ASSERT(found->dtype == tensor.dtype && found->shape == tensor.shape);
            RC_ASSERT(std::ranges::equal(found->bytes, tensor.bytes));
        }
    }));
}

TEST(SafetensorsWriter, TheOrderGivenDoesNotShowAndTensorsAreAligned) {
    const std::vector<std::uint8_t> odd{1, 2, 3};
    const std::vector<float> floats{1, 2};
    std::vector tensors{named("a", DType::kU8, odd), named("b", DType::kF32, floats)};
    const auto bytes = encode_safetensors(tensors);
    std::swap(tensors[0], tensors[1]);
    ASSERT_TRUE(bytes);
    EXPECT_EQ(*bytes, *encode_safetensors(tensors));

    const auto file = SafetensorsFile::parse(*bytes);
    ASSERT_TRUE(file);
    EXPECT_EQ(file->tensors()[0].name, "b");
    EXPECT_EQ((file->find("b")->bytes.data() - bytes->data()) % 8, 0);
}

TEST(SafetensorsWriter, RefusesWhatCouldNotBeReadBack) {
    const std::vector<float> one{1};
    const auto good = named("w", DType::kF32, one);
    const auto refusal = [](std::span<const NamedTensor> tensors) {
        const auto bytes = encode_safetensors(tensors);
        return bytes ? "none" : bytes.error().message;
    };
    EXPECT_EQ(refusal(std::vector{good, good}), R"(two tensors are called "w")");
    EXPECT_EQ(
        refusal(std::vector{named("__metadata__", DType::kF32, one)}),
        R"(a tensor cannot be called "__metadata__")"
    );
    EXPECT_EQ(
        refusal(std::vector{named("\xff", DType::kF32, one)}),
        R"(tensor "\xff": byte 0 (0xff) is not valid UTF-8)"
    );
    EXPECT_EQ(
        refusal(std::vector{named("w", DType::kF64, one)}),
        R"(tensor "w" of shape [1] and dtype F64 cannot have 4 bytes)"
    );
    EXPECT_FALSE(encode_safetensors(std::vector{good}, {{"k", "\xff"}}));
}

class SafetensorsWriterOnDisk : public TemporaryFolderTest {};

TEST_F(SafetensorsWriterOnDisk, WritesTheSameBytesAsInMemory) {
    const std::vector<float> floats{1, 2, 3};
    const std::vector tensors{named("w", DType::kF32, floats)};
    ASSERT_TRUE(write_safetensors(folder_ / "w.safetensors", tensors, {{"k", "v"}}));
    EXPECT_EQ(
        read_file(folder_ / "w.safetensors", 1000),
        std::string(as_text(*encode_safetensors(tensors, {{"k", "v"}})))
    );
    EXPECT_EQ(to_floats(*SafetensorsFile::open(folder_ / "w.safetensors")->find("w")), floats);
}

}  // namespace
}  // namespace tessera
