#include "diffusion/dpmpp_2m.h"

#include "diffusion/dpm_multistep.h"

namespace tessera {

namespace {

Result<std::unique_ptr<Sampler>> make_sde(
    const SamplerRequest& request,
    int order,
    DpmCorrection correction,
    PenultimateSigma penultimate = PenultimateSigma::kKept
) {
    TESSERA_ASSIGN(
        const auto plan, plan_k_diffusion(request, ScheduleKind::kExponential, penultimate)
    );
    DpmMultistep solver;
    solver.order = order;
    solver.correction = correction;
    solver.fresh = fresh_noise(request);
    return make_dpm_multistep(plan, std::move(solver));
}

}  // namespace

Result<std::unique_ptr<Sampler>> make_dpmpp_2m(const SamplerRequest& request) {
    TESSERA_ASSIGN(const auto plan, plan_k_diffusion(request, ScheduleKind::kKarras));
    return make_dpm_multistep(plan, DpmMultistep{});
}

Result<std::unique_ptr<Sampler>> make_dpmpp_2m_sde(const SamplerRequest& request) {
    return make_sde(request, 2, DpmCorrection::kMidpoint);
}

Result<std::unique_ptr<Sampler>> make_dpmpp_2m_sde_heun(const SamplerRequest& request) {
    return make_sde(request, 2, DpmCorrection::kHeun);
}

Result<std::unique_ptr<Sampler>> make_dpmpp_3m_sde(const SamplerRequest& request) {
    return make_sde(request, 3, DpmCorrection::kHeun, PenultimateSigma::kDiscarded);
}

Result<std::unique_ptr<Sampler>> make_sample_dpmpp_3m_sde(const SamplerRequest& request) {
    return make_sde(request, 3, DpmCorrection::kHeun);
}

}  // namespace tessera
