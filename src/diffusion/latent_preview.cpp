#include "diffusion/latent_preview.h"

#include "diffusion/sealed_bytes.h"

#include <algorithm>
#include <cmath>
#include <span>

namespace tessera {

namespace {

constexpr SealKind kPreviewSeal{"TSRAPREV", 1};
constexpr std::size_t kColours = 3;

float displayable(double value) {
    return static_cast<float>(std::clamp(value, -1.0, 1.0));
}

bool is_finite(std::span<const float> values) {
    return std::all_of(values.begin(), values.end(), [](float value) {
        return std::isfinite(value);
    });
}

/// {n, channels, h, w} seen as samples of a vector of channels.
class Samples {
  public:
    explicit Samples(const Tensor& tensor)
        : values_(tensor.values),
          channels_(static_cast<std::size_t>(tensor.shape[1])),
          plane_(static_cast<std::size_t>(tensor.shape[2] * tensor.shape[3])),
          means_(channels_) {
        for (std::size_t channel = 0; channel < channels_; ++channel) {
            for (std::size_t sample = 0; sample < count(); ++sample) {
                means_[channel] += raw(sample, channel) / static_cast<double>(count());
            }
        }
    }

    [[nodiscard]] std::size_t count() const { return values_.size() / channels_; }
    [[nodiscard]] std::size_t channels() const { return channels_; }
    [[nodiscard]] double mean(std::size_t channel) const { return means_[channel]; }
    /// Distance from the mean.
    [[nodiscard]] double at(std::size_t sample, std::size_t channel) const {
        return raw(sample, channel) - means_[channel];
    }

  private:
    [[nodiscard]] double raw(std::size_t sample, std::size_t channel) const {
        const std::size_t row = sample / plane_ * channels_ + channel;
        return static_cast<double>(values_[row * plane_ + sample % plane_]);
    }

    std::span<const float> values_;
    std::size_t channels_;
    std::size_t plane_;
    std::vector<double> means_;
};

double covariance(
    const Samples& a, std::size_t channel_a, const Samples& b, std::size_t channel_b
) {
    double sum = 0.0;
    for (std::size_t sample = 0; sample < a.count(); ++sample) {
        sum += a.at(sample, channel_a) * b.at(sample, channel_b);
    }
    return sum / static_cast<double>(a.count());
}

/// A positive definite matrix as its Cholesky factor, lower triangle, row by row.
class CholeskyFactor {
  public:
    CholeskyFactor(std::vector<double> matrix, std::size_t size)
        : size_(size), lower_(std::move(matrix)) {
        for (std::size_t row = 0; row < size_; ++row) {
            for (std::size_t column = 0; column <= row; ++column) {
                double value = lower_[row * size_ + column];
                for (std::size_t k = 0; k < column; ++k) {
                    value -= lower_[row * size_ + k] * lower_[column * size_ + k];
                }
                lower_[row * size_ + column] =
                    row == column ? std::sqrt(value) : value / lower_[column * size_ + column];
            }
        }
    }

    /// matrix * x = right, in place.
    void solve(std::vector<double>& right) const {
        for (std::size_t row = 0; row < size_; ++row) {
            for (std::size_t k = 0; k < row; ++k) {
                right[row] -= lower_[row * size_ + k] * right[k];
            }
            right[row] /= lower_[row * size_ + row];
        }
        for (std::size_t row = size_; row-- > 0;) {
            for (std::size_t k = row + 1; k < size_; ++k) {
                right[row] -= lower_[k * size_ + row] * right[k];
            }
            right[row] /= lower_[row * size_ + row];
        }
    }

  private:
    std::size_t size_;
    std::vector<double> lower_;
};

/// The latents' covariance with a thousandth of its mean variance added, so that a channel that
/// stands still gets no factor.
CholeskyFactor ridged_covariance(const Samples& latents) {
    const std::size_t size = latents.channels();
    std::vector<double> matrix(size * size);
    double trace = 0.0;
    for (std::size_t row = 0; row < size; ++row) {
        for (std::size_t column = 0; column <= row; ++column) {
            matrix[row * size + column] = covariance(latents, row, latents, column);
        }
        trace += matrix[row * size + row];
    }
    const double ridge = 1e-3 * trace / static_cast<double>(size) + 1e-30;
    for (std::size_t row = 0; row < size; ++row) {
        matrix[row * size + row] += ridge;
    }
    return {std::move(matrix), size};
}

Status check_pair(const Tensor& latents, const Tensor& decoded, std::int64_t downscale) {
    const bool well_formed = latents.shape.size() == 4 && decoded.shape.size() == 4 &&
                             downscale > 0 && !latents.values.empty() &&
                             latents.values.size() == element_count(latents.shape) &&
                             decoded.values.size() == element_count(decoded.shape);
    if (!well_formed || decoded.shape != Shape{
                                             latents.shape[0],
                                             kColours,
                                             latents.shape[2] * downscale,
                                             latents.shape[3] * downscale}) {
        return fail(
            ErrorKind::kInvalidArgument,
            "a preview cannot be fitted to latents and pictures whose sizes do not belong together"
        );
    }
    if (!is_finite(latents.values) || !is_finite(decoded.values)) {
        return fail(
            ErrorKind::kCorrupt,
            "the VAE's decoder gives values that are not finite numbers: its weights are damaged "
            "or overflow in this precision"
        );
    }
    return {};
}

}  // namespace

Tensor preview_image(const Tensor& latents, const LatentPreview& preview) {
    const auto plane = static_cast<std::size_t>(latents.shape[2] * latents.shape[3]);
    Tensor image({latents.shape[0], kColours, latents.shape[2], latents.shape[3]});
    auto pixel = image.values.begin();
    for (std::size_t first = 0; first < latents.values.size();
         first += preview.channels() * plane) {
        for (std::size_t colour = 0; colour < kColours; ++colour) {
            for (std::size_t i = 0; i < plane; ++i) {
                double sum = static_cast<double>(preview.bias[colour]);
                for (std::size_t channel = 0; channel < preview.channels(); ++channel) {
                    sum += static_cast<double>(preview.factors[channel][colour]) *
                           static_cast<double>(latents.values[first + channel * plane + i]);
                }
                *pixel++ = displayable(sum);
            }
        }
    }
    return image;
}

Tensor average_pixels(const Tensor& decoded, std::int64_t downscale) {
    const auto step = static_cast<std::size_t>(downscale);
    const auto width = static_cast<std::size_t>(decoded.shape[3]) / step;
    const auto rows =
        static_cast<std::size_t>(decoded.shape[0] * decoded.shape[1] * decoded.shape[2]);
    Tensor small(
        {decoded.shape[0],
         decoded.shape[1],
         decoded.shape[2] / downscale,
         decoded.shape[3] / downscale}
    );
    const double share = 1.0 / static_cast<double>(step * step);
    std::vector<double> sums(width);
    auto out = small.values.begin();
    for (std::size_t row = 0; row < rows; ++row) {
        for (std::size_t x = 0; x < width * step; ++x) {
            sums[x / step] += static_cast<double>(
                displayable(static_cast<double>(decoded.values[row * width * step + x]))
            );
        }
        if ((row + 1) % step == 0) {
            for (double& sum : sums) {
                *out++ = static_cast<float>(sum * share);
                sum = 0.0;
            }
        }
    }
    return small;
}

Result<LatentPreview> fit_latent_preview(
    const Tensor& latents, const Tensor& decoded, std::int64_t downscale
) {
    TESSERA_TRY(check_pair(latents, decoded, downscale));
    const Tensor small = average_pixels(decoded, downscale);
    const Samples inputs(latents);
    const Samples colours(small);
    const CholeskyFactor matrix = ridged_covariance(inputs);
    LatentPreview preview;
    preview.factors.resize(inputs.channels());
    for (std::size_t colour = 0; colour < kColours; ++colour) {
        std::vector<double> factors(inputs.channels());
        for (std::size_t channel = 0; channel < inputs.channels(); ++channel) {
            factors[channel] = covariance(inputs, channel, colours, colour);
        }
        matrix.solve(factors);
        double bias = colours.mean(colour);
        for (std::size_t channel = 0; channel < inputs.channels(); ++channel) {
            preview.factors[channel][colour] = static_cast<float>(factors[channel]);
            bias -= factors[channel] * inputs.mean(channel);
        }
        preview.bias[colour] = static_cast<float>(bias);
    }
    return preview;
}

Bytes save(const LatentPreview& preview) {
    ByteWriter out;
    out.put_floats(preview.bias);
    for (const auto& row : preview.factors) {
        out.put_floats(row);
    }
    return seal(kPreviewSeal, out.take());
}

Result<LatentPreview> load_latent_preview(ByteView bytes, std::size_t channels) {
    TESSERA_ASSIGN(const auto content, unseal(kPreviewSeal, bytes));
    ByteReader in(content);
    const auto get_colours = [&](std::array<float, 3>& colours) -> Status {
        TESSERA_ASSIGN(const auto values, in.get_floats());
        if (values.size() != colours.size() || !is_finite(values)) {
            return fail(ErrorKind::kCorrupt, "a saved preview has a row that is no colour");
        }
        std::copy(values.begin(), values.end(), colours.begin());
        return {};
    };
    LatentPreview preview;
    TESSERA_TRY(get_colours(preview.bias));
    for (std::size_t channel = 0; channel < channels; ++channel) {
        TESSERA_TRY(get_colours(preview.factors.emplace_back()));
    }
    if (!in.at_end()) {
        return fail(ErrorKind::kCorrupt, "a saved preview is for more than {} channels", channels);
    }
    return preview;
}

}  // namespace tessera
