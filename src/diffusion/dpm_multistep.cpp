#include "diffusion/dpm_multistep.h"

#include "diffusion/linear_combination.h"
#include "diffusion/sigma_sampler.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace tessera {

namespace {

/// One step as a sum, in variance-exploding scale: of the latents, of the integrand and its first
/// and second difference quotients over lambda = -log sigma times the powers of the step's length,
/// and of unit noise.
struct Terms {
    double latents = 0.0;
    std::array<double, 3> derivatives{};
    double noise = 0.0;
};

/// (e^-x - 1) / x + 1
double phi_2(double x) {
    return std::expm1(-x) / x + 1.0;
}

Terms clean_terms(double from, double to, int order, DpmCorrection correction, double eta) {
    if (to == 0.0) {
        return {0.0, {1.0, 0.0, 0.0}, 0.0};
    }
    const double length = std::log(from / to);
    const double stretched = length * (1.0 + eta);
    Terms terms;
    terms.latents = std::exp(-stretched);
    terms.derivatives[0] = -std::expm1(-stretched);
    if (order == 2 && correction == DpmCorrection::kMidpoint) {
        terms.derivatives[1] = 0.5 * terms.derivatives[0];
    } else if (order >= 2) {
        terms.derivatives[1] = phi_2(stretched);
    }
    if (order == 3) {
        terms.derivatives[2] = 0.5 - phi_2(stretched) / stretched;
    }
    terms.noise = to * std::sqrt(-std::expm1(-2.0 * length * eta));
    return terms;
}

Terms noise_terms(double from, double to, int order, DpmCorrection correction, double eta) {
    const double length = std::log(from / to);
    // The stochastic form takes away twice as much noise as the other, and puts some back.
    const double way = (1.0 + eta) * (to - from);
    const double curve = to * (std::expm1(length) / length - 1.0);
    Terms terms;
    terms.latents = 1.0;
    terms.derivatives[0] = way;
    if (order == 2 && correction == DpmCorrection::kMidpoint) {
        terms.derivatives[1] = 0.5 * way;
    } else if (order >= 2) {
        terms.derivatives[1] = -(1.0 + eta) * curve;
    }
    if (order == 3) {
        terms.derivatives[2] = -to * ((std::expm1(length) / length - 1.0) / length - 0.5);
    }
    terms.noise = eta * std::sqrt(from * from - to * to);
    return terms;
}

/// The history holds the last results of the integrand, the newest first.
class Multistep final : public SigmaSampler {
  public:
    Multistep(const SigmaPlan& plan, DpmMultistep solver)
        : SigmaSampler(plan), solver_(std::move(solver)), skipped_(plan.first) {}

    [[nodiscard]] std::size_t history_size(std::size_t call) const override {
        return std::min(call, static_cast<std::size_t>(solver_.order - 1));
    }

    void step(std::size_t call, const Tensor& output, NoiseSource& noise, SamplerState& state)
        const override {
        Tensor clean = predict_clean(call, output, state.latents);
        Tensor result = solver_.integrand == DpmIntegrand::kClean
                            ? clean
                            : noise_in(call, clean, state.latents);
        if (sigma_to(call) < sigma_from(call)) {
            advance(call, result, noise, state);
        }
        state.history.insert(state.history.begin(), std::move(result));
        state.history.resize(history_size(call + 1));
        state.predicted_clean = std::move(clean);
    }

  private:
    [[nodiscard]] int order_at(std::size_t call) const {
        const int possible = static_cast<int>(history_size(call)) + 1;
        const int limit =
            solver_.limit ? solver_.limit(skipped_ + call) : std::numeric_limits<int>::max();
        return sigma_to(call) == 0.0 ? 1 : std::min(possible, limit);
    }

    [[nodiscard]] Tensor noise_in(std::size_t call, const Tensor& clean, const Tensor& latents)
        const {
        const double sigma = sigma_from(call);
        return linear_combination(
            {{1.0 / (sigma * scale_at(sigma)), latents}, {-1.0 / sigma, clean}}
        );
    }

    void advance(std::size_t call, const Tensor& result, NoiseSource& noise, SamplerState& state)
        const {
        const double from = sigma_from(call);
        const double to = sigma_to(call);
        const int order = order_at(call);
        const Terms terms =
            solver_.integrand == DpmIntegrand::kClean
                ? clean_terms(from, to, order, solver_.correction, solver_.fresh.eta)
                : noise_terms(from, to, order, solver_.correction, solver_.fresh.eta);
        const double scale = scale_at(to);

        std::array<double, 3> shares{terms.derivatives[0], 0.0, 0.0};
        if (order >= 2) {
            add_differences(call, order, terms, shares);
        }
        std::vector<Addend> sum{
            {scale * terms.latents / scale_at(from), state.latents}, {scale * shares[0], result}};
        for (std::size_t i = 1; i < static_cast<std::size_t>(order); ++i) {
            sum.push_back({scale * shares[i], state.history[i - 1]});
        }
        const bool draws = terms.noise > 0.0;
        const Tensor drawn = draws ? noise.draw(state.latents.shape) : Tensor{};
        if (draws) {
            sum.push_back({scale * solver_.fresh.s_noise * terms.noise, drawn});
        }
        state.latents = linear_combination(sum);
    }

    /// Difference quotients as shares of the newest result and of the ones before.
    void add_differences(
        std::size_t call, int order, const Terms& terms, std::array<double, 3>& shares
    ) const {
        const double length = std::log(sigma_from(call) / sigma_to(call));
        // Lengths of the last steps relative to this one's.
        const double r0 = std::log(sigma_from(call - 1) / sigma_from(call)) / length;
        double first = terms.derivatives[1];
        if (order == 3) {
            const double r1 = std::log(sigma_from(call - 2) / sigma_from(call - 1)) / length;
            // Of d0 and d1, the differences over these lengths, the quotients are
            // d0 + (d0 - d1) r0 / (r0 + r1) and (d0 - d1) / (r0 + r1).
            const double bend = (terms.derivatives[1] * r0 + terms.derivatives[2]) / (r0 + r1);
            first += bend;
            shares[1] -= bend / r1;
            shares[2] += bend / r1;
        }
        shares[0] += first / r0;
        shares[1] -= first / r0;
    }

    DpmMultistep solver_;
    std::size_t skipped_;
};

}  // namespace

std::unique_ptr<Sampler> make_dpm_multistep(const SigmaPlan& plan, DpmMultistep solver) {
    return std::make_unique<Multistep>(plan, std::move(solver));
}

}  // namespace tessera
