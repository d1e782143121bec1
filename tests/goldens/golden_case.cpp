#include "goldens/golden_case.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace tessera {

GoldenCase::GoldenCase(std::string name, const std::filesystem::path& folder, const char* file)
    : name_(std::move(name)) {
    auto opened = SafetensorsFile::open(folder / file);
    if (opened) {
        references_ = std::move(*opened);
    } else {
        fail(file, opened.error().message);
    }
}

bool GoldenCase::has(std::string_view tensor) const {
    return find(tensor) != nullptr;
}

const TensorView* GoldenCase::find(std::string_view tensor) const {
    return references_ ? references_->find(tensor) : nullptr;
}

Tensor GoldenCase::floats(std::string_view tensor) const {
    const auto* view = find(tensor);
    if (view == nullptr) {
        return {};
    }
    return {view->shape, to_floats(*view).value_or(std::vector<float>{})};
}

IdTensor GoldenCase::ids(std::string_view tensor) const {
    const auto* view = find(tensor);
    if (view == nullptr) {
        return {};
    }
    return {view->shape, to_integers(*view).value_or(std::vector<std::int64_t>{})};
}

void GoldenCase::compare(const std::string& tensor, const Tensor& got, GoldenTolerance tolerance) {
    if (!has(tensor)) {
        return;
    }
    const Tensor want = floats(tensor);
    if (got.shape != want.shape) {
        fail(tensor, "is " + shape_text(got.shape) + ", expected " + shape_text(want.shape));
        return;
    }
    add(tensor, want.values, got, tolerance);
}

void GoldenCase::compare_row(
    const std::string& tensor, std::int64_t row, const Tensor& got, GoldenTolerance tolerance
) {
    if (!has(tensor)) {
        return;
    }
    const Tensor want = floats(tensor);
    const std::size_t size = got.values.size();
    const std::string name = tensor + "[" + std::to_string(row) + "]";
    if (row >= want.shape.front() ||
        want.values.size() != size * static_cast<std::size_t>(want.shape.front())) {
        fail(name, "has no such row of " + std::to_string(size) + " values");
        return;
    }
    const auto all = std::span(want.values);
    add(name, all.subspan(static_cast<std::size_t>(row) * size, size), got, tolerance);
}

void GoldenCase::add(
    const std::string& tensor,
    std::span<const float> want,
    const Tensor& got,
    GoldenTolerance tolerance
) {
    double error = 0.0;
    double largest = 0.0;
    for (std::size_t i = 0; i < want.size(); ++i) {
        const double difference = std::abs(static_cast<double>(got.values[i]) - want[i]);
        // A NaN compares false with everything, so it must be caught by name.
        error = std::isnan(difference) ? std::numeric_limits<double>::infinity()
                                       : std::max(error, difference);
        largest = std::max(largest, std::abs(static_cast<double>(want[i])));
    }
    const double allowed = tolerance.of_max * largest + tolerance.absolute;
    rows_.push_back(
        {name_,
         tensor,
         error,
         allowed,
         error <= allowed ? GoldenStatus::kPass : GoldenStatus::kFail,
         ""}
    );
}

void GoldenCase::compare_ids(const std::string& tensor, std::span<const std::int64_t> got) {
    if (!has(tensor)) {
        return;
    }
    const IdTensor want = ids(tensor);
    if (std::equal(got.begin(), got.end(), want.values.begin(), want.values.end())) {
        rows_.push_back({name_, tensor, 0.0, 0.0, GoldenStatus::kPass, ""});
    } else {
        fail(tensor, "the integers differ");
    }
}

void GoldenCase::fail(const std::string& tensor, std::string note) {
    rows_.push_back({name_, tensor, 0.0, 0.0, GoldenStatus::kFail, std::move(note)});
}

void GoldenCase::not_built(const std::string& tensor, std::string note) {
    rows_.push_back({name_, tensor, 0.0, 0.0, GoldenStatus::kNotBuilt, std::move(note)});
}

}  // namespace tessera
