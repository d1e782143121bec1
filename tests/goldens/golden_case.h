#pragma once

#include "base/tensor.h"
#include "checkpoint/safetensors.h"
#include "goldens/golden.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tessera {

inline constexpr GoldenTolerance kSingleNetwork{1e-4, 1e-6};
inline constexpr GoldenTolerance kEndToEndLatents{1e-3, 1e-6};
inline constexpr GoldenTolerance kEndToEndImages{0.0, 2e-3};

/// The reference tensors of one case, and the rows that comparing with them has given so far.
class GoldenCase {
  public:
    /// Opens `<folder>/<file>`; a missing or bad one becomes the first failing row.
    GoldenCase(std::string name, const std::filesystem::path& folder, const char* file);

    [[nodiscard]] bool is_open() const { return references_.has_value(); }
    [[nodiscard]] bool has(std::string_view tensor) const;
    /// Inputs. An absent tensor gives an empty one.
    [[nodiscard]] Tensor floats(std::string_view tensor) const;
    [[nodiscard]] IdTensor ids(std::string_view tensor) const;

    /// Compares with a float reference of the same shape; a reference that is not there is skipped.
    void compare(const std::string& tensor, const Tensor& got, GoldenTolerance tolerance);
    /// Compares with row `row` of a reference.
    void compare_row(
        const std::string& tensor, std::int64_t row, const Tensor& got, GoldenTolerance tolerance
    );
    /// Compares integers, which must be equal.
    void compare_ids(const std::string& tensor, std::span<const std::int64_t> got);

    /// Unwraps a result; its error becomes a failing row of that name.
    template <class T>
    std::optional<T> take(const std::string& what, Result<T> result) {
        if (!result) {
            fail(what, result.error().message);
            return std::nullopt;
        }
        return std::move(*result);
    }
    void fail(const std::string& tensor, std::string note);
    void not_built(const std::string& tensor, std::string note);

    [[nodiscard]] std::vector<GoldenRow> take_rows() { return std::move(rows_); }

  private:
    [[nodiscard]] const TensorView* find(std::string_view tensor) const;
    void add(
        const std::string& tensor, std::span<const float> want, const Tensor& got, GoldenTolerance
    );

    std::string name_;
    std::optional<SafetensorsFile> references_;
    std::vector<GoldenRow> rows_;
};

}  // namespace tessera
