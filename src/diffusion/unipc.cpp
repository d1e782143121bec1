#include "diffusion/unipc.h"

#include "diffusion/linear_combination.h"
#include "diffusion/sigma_sampler.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace tessera {

namespace {

struct Solver {
    int order = 2;
    /// B(h) of the paper: h, or e^h - 1.
    bool exponential = true;
    bool lower_order_final = true;
};

/// Solves sum_j matrix[i][j] x[j] = right[i] by elimination with pivots; small and regular.
std::vector<double> solve(std::vector<std::vector<double>> matrix, std::vector<double> right) {
    const std::size_t size = right.size();
    for (std::size_t column = 0; column < size; ++column) {
        std::size_t pivot = column;
        for (std::size_t row = column + 1; row < size; ++row) {
            if (std::abs(matrix[row][column]) > std::abs(matrix[pivot][column])) {
                pivot = row;
            }
        }
        std::swap(matrix[pivot], matrix[column]);
        std::swap(right[pivot], right[column]);
        for (std::size_t row = 0; row < size; ++row) {
            if (row == column) {
                continue;
            }
            const double share = matrix[row][column] / matrix[column][column];
            for (std::size_t k = column; k < size; ++k) {
                matrix[row][k] -= share * matrix[column][k];
            }
            right[row] -= share * right[column];
        }
    }
    for (std::size_t i = 0; i < size; ++i) {
        right[i] /= matrix[i][i];
    }
    return right;
}

/// The paper's equation 5: weights of the differences at the nodes, each a place on the step with 0
/// its start and 1 its end. For a single node the paper takes 1/2.
std::vector<double> weights_at(const std::vector<double>& nodes, double h, double b_h) {
    if (nodes.size() == 1) {
        return {0.5};
    }
    std::vector<std::vector<double>> powers;
    std::vector<double> right;
    double phi = std::expm1(-h) / -h - 1.0;
    double factorial = 1.0;
    for (std::size_t i = 1; i <= nodes.size(); ++i) {
        std::vector<double> row;
        row.reserve(nodes.size());
        for (const double node : nodes) {
            row.push_back(std::pow(node, static_cast<double>(i - 1)));
        }
        powers.push_back(std::move(row));
        right.push_back(phi * factorial / b_h);
        factorial *= static_cast<double>(i + 1);
        phi = phi / -h - 1.0 / factorial;
    }
    return solve(std::move(powers), std::move(right));
}

/// The clean latents predicted at a place on the step.
struct Point {
    double node;
    const Tensor* clean;
};

/// The history holds the latents from which the last step was predicted, and behind them the last
/// clean latents, the newest first.
class UniPc final : public SigmaSampler {
  public:
    UniPc(const SigmaPlan& plan, Solver solver) : SigmaSampler(plan), solver_(solver) {}

    [[nodiscard]] std::size_t history_size(std::size_t call) const override {
        return call == 0 ? 0 : 1 + std::min(call, static_cast<std::size_t>(solver_.order));
    }

    void step(
        std::size_t call,
        const Tensor& output,
        [[maybe_unused]] NoiseSource& noise,
        SamplerState& state
    ) const override {
        auto& history = state.history;
        Tensor clean = predict_clean(call, output, state.latents);
        Tensor begin = std::move(state.latents);
        if (call > 0) {
            begin = corrected(call, clean, history);
            history.erase(history.begin());
        }
        history.insert(history.begin(), clean);
        history.insert(history.begin(), std::move(begin));
        state.latents = predicted(call, history);
        history.resize(history_size(call + 1));
        state.predicted_clean = std::move(clean);
    }

  private:
    [[nodiscard]] int order_at(std::size_t call) const {
        if (sigma_to(call) == 0.0) {
            return 1;
        }
        const std::size_t left = solver_.lower_order_final ? calls().size() - call : call + 1;
        const std::size_t possible = std::min(call + 1, left);
        return static_cast<int>(std::min(possible, static_cast<std::size_t>(solver_.order)));
    }

    /// `history` after this call's results have come in.
    [[nodiscard]] Tensor predicted(std::size_t call, const std::vector<Tensor>& history) const {
        const double from = sigma_from(call);
        const double to = sigma_to(call);
        if (to == from) {
            return history[0];
        }
        return update(from, to, history[0], history[1], earlier(call, to, order_at(call), history));
    }

    /// The last step taken again, now that its end is known. `history` is that step's.
    [[nodiscard]] Tensor corrected(
        std::size_t call, const Tensor& clean, const std::vector<Tensor>& history
    ) const {
        const double to = sigma_from(call);
        auto points = earlier(call - 1, to, order_at(call - 1), history);
        points.push_back({1.0, &clean});
        return update(sigma_from(call - 1), to, history[0], history[1], points);
    }

    /// What the steps before `call` predicted, as far as the order asks for them.
    [[nodiscard]] std::vector<Point> earlier(
        std::size_t call, double to, int order, const std::vector<Tensor>& history
    ) const {
        const double from = sigma_from(call);
        std::vector<Point> points;
        for (std::size_t i = 1; i < static_cast<std::size_t>(order); ++i) {
            const double node = std::log(from / sigma_from(call - i)) / std::log(from / to);
            points.push_back({node, &history[1 + i]});
        }
        return points;
    }

    [[nodiscard]] Tensor update(
        double from,
        double to,
        const Tensor& latents,
        const Tensor& clean,
        const std::vector<Point>& points
    ) const {
        const double scale = scale_at(to);
        const double kept = to / from;
        double clean_share = 1.0 - kept;
        std::vector<Addend> sum{{scale * kept / scale_at(from), latents}};
        if (!points.empty()) {
            const double h = std::log(from / to);
            const double b_h = solver_.exponential ? std::expm1(-h) : -h;
            std::vector<double> nodes;
            nodes.reserve(points.size());
            for (const Point& point : points) {
                nodes.push_back(point.node);
            }
            const auto weights = weights_at(nodes, h, b_h);
            for (std::size_t i = 0; i < points.size(); ++i) {
                const double share = -b_h * weights[i] / points[i].node;
                clean_share -= share;
                sum.push_back({scale * share, *points[i].clean});
            }
        }
        sum.push_back({scale * clean_share, clean});
        return linear_combination(sum);
    }

    Solver solver_;
};

Result<std::unique_ptr<Sampler>> make_k_unipc(const SamplerRequest& request, bool exponential) {
    constexpr int kOrder = 3;
    TESSERA_ASSIGN(
        const auto plan,
        plan_k_diffusion(request, ScheduleKind::kUniform, PenultimateSigma::kDiscarded)
    );
    return std::make_unique<UniPc>(plan, Solver{kOrder, exponential, true});
}

}  // namespace

Result<std::unique_ptr<Sampler>> make_unipc(const SamplerRequest& request) {
    return make_k_unipc(request, false);
}

Result<std::unique_ptr<Sampler>> make_unipc_bh2(const SamplerRequest& request) {
    return make_k_unipc(request, true);
}

Result<std::unique_ptr<Sampler>> make_diffusers_unipc(const SamplerRequest& request) {
    constexpr const char* kName = "UniPCMultistepScheduler";
    constexpr int kHighestOrder = 3;
    const SchedulerConfig& config = request.config;
    // diffusers reads the solver types of its DPM-Solver and DEIS classes as bh2.
    const bool is_known = config.solver_type == "bh1" || config.solver_type == "bh2" ||
                          config.solver_type == "midpoint" || config.solver_type == "heun" ||
                          config.solver_type == "logrho";
    if (!is_known || config.solver_order < 1 || config.solver_order > kHighestOrder ||
        !config.predict_x0) {
        return fail(
            ErrorKind::kUnsupported,
            "{} with solver_type {}, solver_order {} and predict_x0 {} is not supported; bh2, 2 "
            "and "
            "true are usual",
            kName,
            config.solver_type,
            config.solver_order,
            config.predict_x0
        );
    }
    TESSERA_ASSIGN(const auto plan, plan_diffusers_dpm(request, kName));
    const Solver solver{config.solver_order, config.solver_type != "bh1", config.lower_order_final};
    return std::make_unique<UniPc>(plan, solver);
}

}  // namespace tessera
