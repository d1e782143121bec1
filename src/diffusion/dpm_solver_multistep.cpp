#include "diffusion/dpm_solver_multistep.h"

#include "diffusion/dpm_multistep.h"

#include <limits>

namespace tessera {

namespace {

constexpr const char* kName = "DPMSolverMultistepScheduler";

/// Below this many steps diffusers lowers the order of the last ones.
constexpr std::size_t kFewSteps = 15;

tl::unexpected<Error> unsupported(const SchedulerConfig& config) {
    return fail(
        ErrorKind::kUnsupported,
        "{} does not exist with algorithm_type {}, solver_type {} and solver_order {}; "
        "dpmsolver++, "
        "midpoint and 2 are usual",
        kName,
        config.algorithm_type,
        config.solver_type,
        config.solver_order
    );
}

Result<DpmMultistep> solver_of(const SchedulerConfig& config) {
    DpmMultistep solver;
    const std::string& type = config.algorithm_type;
    const bool is_stochastic = type.starts_with("sde-");
    // diffusers reads a config of its DEIS and UniPC classes in this way.
    if (type == "dpmsolver" || type == "sde-dpmsolver") {
        solver.integrand = DpmIntegrand::kNoise;
    } else if (type != "dpmsolver++" && type != "sde-dpmsolver++" && type != "deis") {
        return unsupported(config);
    }
    if (config.solver_type == "heun") {
        solver.correction = DpmCorrection::kHeun;
    } else if (config.solver_type != "midpoint" && config.solver_type != "logrho" &&
               config.solver_type != "bh1" && config.solver_type != "bh2") {
        return unsupported(config);
    }
    if (config.solver_order < 1 || config.solver_order > (is_stochastic ? 2 : 3)) {
        return unsupported(config);
    }
    if (solver.integrand == DpmIntegrand::kNoise && !config.ends_at_sigma_min) {
        return fail(
            ErrorKind::kUnsupported,
            "{} with algorithm_type {} needs final_sigmas_type sigma_min",
            kName,
            type
        );
    }
    solver.order = config.solver_order;
    solver.fresh.eta = is_stochastic ? 1.0 : 0.0;
    solver.fresh.s_noise = 1.0;
    return solver;
}

}  // namespace

Result<std::unique_ptr<Sampler>> make_dpm_solver_multistep(const SamplerRequest& request) {
    const SchedulerConfig& config = request.config;
    TESSERA_ASSIGN(auto solver, solver_of(config));
    TESSERA_ASSIGN(const auto plan, plan_diffusers_dpm(request, kName));
    const std::size_t steps = plan.timesteps.size();
    const bool lowers = config.lower_order_final && steps < kFewSteps;
    const bool euler_at_final = config.euler_at_final || lowers;
    solver.limit = [=](std::size_t step) {
        if (step + 1 == steps && euler_at_final) {
            return 1;
        }
        return step + 2 == steps && lowers ? 2 : std::numeric_limits<int>::max();
    };
    return make_dpm_multistep(plan, std::move(solver));
}

}  // namespace tessera
