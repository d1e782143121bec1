#include "checkpoint/safetensors_header.h"

#include "checkpoint/names.h"
#include "checkpoint/strict_json_internal.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>

namespace tessera {
namespace {

/// One tensor as the header describes it; nothing of it believed yet.
struct Entry {
    std::string name;
    DType dtype{};
    bool has_dtype = false;
    Shape shape;
    bool has_shape = false;
    std::vector<std::uint64_t> offsets;  // begin and end, once both are read
};

class HeaderJson final : public StrictJson {
  public:
    HeaderJson() : StrictJson(kMaxDepth) {}

    std::vector<Entry> entries;
    std::map<std::string, std::string> metadata;

  private:
    // Three levels are in use; more can only occur in fields that are ignored.
    static constexpr std::size_t kMaxDepth = 16;
    enum class Field : std::uint8_t { kNone, kDType, kShape, kOffsets, kUnknown };

    bool on_key(std::string& key) override {
        if (depth() == 1) {
            in_metadata_ = key == kSafetensorsMetadataKey;
            field_ = Field::kNone;
            if (!in_metadata_) {
                entries.emplace_back().name = key;
            }
        } else if (in_metadata_) {
            metadata_key_ = key;
        } else if (depth() == 2) {
            field_ = key == "dtype"          ? Field::kDType
                     : key == "shape"        ? Field::kShape
                     : key == "data_offsets" ? Field::kOffsets
                                             : Field::kUnknown;
        }
        return true;
    }

    bool on_object_start() override { return depth() <= 2 || ignoring() || refuse_value(); }

    bool on_object_end() override {
        if (depth() != 2 || in_metadata_) {
            return true;
        }
        const Entry& entry = entries.back();
        const char* missing = !entry.has_dtype        ? "dtype"
                              : !entry.has_shape      ? "shape"
                              : entry.offsets.empty() ? "data_offsets"
                                                      : nullptr;
        return missing == nullptr ||
               refuse(
                   fail(ErrorKind::kCorrupt, "tensor {} has no {}", in_quotes(entry.name), missing)
               );
    }

    bool on_array_start() override {
        if (ignoring()) {
            return true;
        }
        if (in_metadata_ || depth() != 3 || field_ == Field::kDType) {
            return refuse_value();
        }
        entries.back().has_shape |= field_ == Field::kShape;
        return true;
    }

    bool on_array_end() override {
        if (ignoring() || field_ == Field::kShape) {
            return true;
        }
        const Entry& entry = entries.back();
        const auto& offsets = entry.offsets;
        return (offsets.size() == 2 && offsets[0] <= offsets[1]) ||
               refuse(fail(
                   ErrorKind::kCorrupt,
                   "the data_offsets of tensor {} are not a begin and an end",
                   in_quotes(entry.name)
               ));
    }

    bool on_scalar(const JsonScalar& value) override {
        if (in_metadata_) {
            const auto* text = std::get_if<std::string_view>(&value);
            if (depth() != 2 || text == nullptr) {
                return refuse_value();
            }
            metadata[metadata_key_] = *text;
            return true;
        }
        if (ignoring()) {
            return true;
        }
        if (depth() == 2 && field_ == Field::kDType) {
            return take_dtype(value);
        }
        const auto* number = std::get_if<std::uint64_t>(&value);
        if (depth() != 3 || number == nullptr) {
            return refuse_value();
        }
        return field_ == Field::kShape ? take_dimension(*number) : take_offset(*number);
    }

    bool take_dtype(const JsonScalar& value) {
        const auto* name = std::get_if<std::string_view>(&value);
        if (name == nullptr) {
            return refuse_value();
        }
        Entry& entry = entries.back();
        const auto dtype = dtype_named(*name);
        if (!dtype) {
            return refuse(fail(
                ErrorKind::kUnsupported,
                "tensor {} has the unknown dtype {}; save it again as F16 or F32",
                in_quotes(entry.name),
                in_quotes(*name)
            ));
        }
        entry.dtype = *dtype;
        entry.has_dtype = true;
        return true;
    }

    bool take_dimension(std::uint64_t size) {
        Entry& entry = entries.back();
        if (entry.shape.size() == kMaxTensorRank) {
            return refuse(fail(
                ErrorKind::kCorrupt,
                "tensor {} has more than {} dimensions",
                in_quotes(entry.name),
                kMaxTensorRank
            ));
        }
        if (size > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
            return refuse_value();
        }
        entry.shape.push_back(static_cast<std::int64_t>(size));
        return true;
    }

    bool take_offset(std::uint64_t offset) {
        auto& offsets = entries.back().offsets;
        if (offsets.size() == 2) {
            return refuse_value();
        }
        offsets.push_back(offset);
        return true;
    }

    [[nodiscard]] bool ignoring() const { return field_ == Field::kUnknown; }

    /// The value at hand is not of the kind that its place asks for.
    bool refuse_value() {
        if (in_metadata_) {
            return refuse(fail(ErrorKind::kCorrupt, "__metadata__ is not a map of texts to texts"));
        }
        const auto name = in_quotes(entries.back().name);
        switch (field_) {
            case Field::kNone:
                return refuse(fail(ErrorKind::kCorrupt, "tensor {} is not a JSON object", name));
            case Field::kDType:
                return refuse(fail(ErrorKind::kCorrupt, "the dtype of tensor {} is no text", name));
            case Field::kShape:
                return refuse(fail(
                    ErrorKind::kCorrupt,
                    "the shape of tensor {} is not a list of whole numbers from 0 on",
                    name
                ));
            default:
                return refuse(fail(
                    ErrorKind::kCorrupt,
                    "the data_offsets of tensor {} are not two whole numbers from 0 on",
                    name
                ));
        }
    }

    bool in_metadata_ = false;
    Field field_ = Field::kNone;  // of the current tensor
    std::string metadata_key_;
};

Result<ByteView> header_bytes(ByteView file) {
    std::uint64_t length = 0;
    if (file.empty()) {
        return fail(ErrorKind::kCorrupt, "the file is empty");
    }
    if (as_text(file).substr(0, 23) == "version https://git-lfs") {
        return fail(
            ErrorKind::kCorrupt, "this is a Git LFS pointer, not the weights: run `git lfs pull`"
        );
    }
    if (file.size() < sizeof(length)) {
        return fail(ErrorKind::kCorrupt, "{} bytes cannot be a safetensors file", file.size());
    }
    std::memcpy(&length, file.data(), sizeof(length));
    const std::uint64_t rest = file.size() - sizeof(length);
    if (length == 0 || length > kMaxSafetensorsHeaderBytes) {
        return fail(
            ErrorKind::kCorrupt,
            "a header of {} bytes (1 to {} are possible): this is no safetensors file",
            length,
            kMaxSafetensorsHeaderBytes
        );
    }
    if (length > rest) {
        return fail(
            ErrorKind::kCorrupt, "the file ends after {} of its header's {} bytes", rest, length
        );
    }
    return file.subspan(sizeof(length), length);
}

/// Bytes that the shape and dtype ask for; nullopt when they cannot be counted.
std::optional<std::uint64_t> byte_count(const Entry& entry) {
    std::int64_t bytes = 1;
    for (const std::int64_t size : entry.shape) {
        if (__builtin_mul_overflow(bytes, size, &bytes)) {
            return std::nullopt;
        }
    }
    if (__builtin_mul_overflow(bytes, size_of(entry.dtype), &bytes)) {
        return std::nullopt;
    }
    return static_cast<std::uint64_t>(bytes);
}

Status check_size(const Entry& entry) {
    const auto wanted = byte_count(entry);
    if (!wanted) {
        return fail(
            ErrorKind::kCorrupt,
            "the shape {} of tensor {} is impossibly large",
            shape_text(entry.shape),
            in_quotes(entry.name)
        );
    }
    const std::uint64_t given = entry.offsets[1] - entry.offsets[0];
    if (*wanted != given) {
        return fail(
            ErrorKind::kCorrupt,
            "tensor {} of shape {} and dtype {} needs {} bytes but is given {}",
            in_quotes(entry.name),
            shape_text(entry.shape),
            name_of(entry.dtype),
            *wanted,
            given
        );
    }
    return {};
}

/// The entries, in the order of their data, must cover it without overlap or hole.
Status check_cover(const std::vector<Entry>& entries, std::uint64_t data_size) {
    std::uint64_t covered = 0;
    for (const Entry& entry : entries) {
        const std::uint64_t begin = entry.offsets[0];
        const std::uint64_t end = entry.offsets[1];
        if (end > data_size) {
            return fail(
                ErrorKind::kCorrupt,
                "tensor {} ends at byte {} of data but there are only {}: the file is cut short",
                in_quotes(entry.name),
                end,
                data_size
            );
        }
        if (begin != covered) {
            return fail(
                ErrorKind::kCorrupt,
                "the data of tensor {} begins at byte {} and not at {}, so tensors {}",
                in_quotes(entry.name),
                begin,
                covered,
                begin < covered ? "overlap" : "leave a hole"
            );
        }
        covered = end;
    }
    if (covered != data_size) {
        return fail(
            ErrorKind::kCorrupt,
            "the last {} bytes of data belong to no tensor",
            data_size - covered
        );
    }
    return {};
}

}  // namespace

Result<SafetensorsHeader> read_safetensors_header(ByteView file) {
    TESSERA_ASSIGN(const auto json, header_bytes(file));
    HeaderJson described;
    if (auto valid = described.read(as_text(json)); !valid) {
        return within("header", std::move(valid).error());
    }
    auto& entries = described.entries;
    std::stable_sort(entries.begin(), entries.end(), [](const Entry& left, const Entry& right) {
        return left.offsets < right.offsets;
    });
    for (const Entry& entry : entries) {
        TESSERA_TRY(check_size(entry));
    }
    const ByteView data = file.subspan(sizeof(std::uint64_t) + json.size());
    TESSERA_TRY(check_cover(entries, data.size()));

    SafetensorsHeader header{json, {}, std::move(described.metadata)};
    header.tensors.reserve(entries.size());
    for (Entry& entry : entries) {
        const std::uint64_t begin = entry.offsets[0];
        const std::uint64_t end = entry.offsets[1];
        header.tensors.push_back(
            {std::move(entry.name),
             {entry.dtype, std::move(entry.shape), data.subspan(begin, end - begin)}}
        );
    }
    return header;
}

}  // namespace tessera
