#include "imaging/foreign_names.h"

#include <algorithm>
#include <array>
#include <span>

namespace tessera {
namespace {

struct Translation {
    std::string_view foreign;
    std::string_view a1111;
};

constexpr std::array<Translation, 54> kSamplers{{
    // ComfyUI, and with it SwarmUI
    {"euler", "Euler"},
    {"euler_ancestral", "Euler a"},
    {"heun", "Heun"},
    {"heunpp2", "Heun++"},
    {"dpm_2", "DPM2"},
    {"dpm_2_ancestral", "DPM2 a"},
    {"lms", "LMS"},
    {"dpm_fast", "DPM fast"},
    {"dpm_adaptive", "DPM adaptive"},
    {"dpmpp_2s_ancestral", "DPM++ 2S a"},
    {"dpmpp_sde", "DPM++ SDE"},
    {"dpmpp_sde_gpu", "DPM++ SDE"},
    {"dpmpp_2m", "DPM++ 2M"},
    {"dpmpp_2m_sde", "DPM++ 2M SDE"},
    {"dpmpp_2m_sde_gpu", "DPM++ 2M SDE"},
    {"dpmpp_2m_sde_heun", "DPM++ 2M SDE Heun"},
    {"dpmpp_2m_sde_heun_gpu", "DPM++ 2M SDE Heun"},
    {"dpmpp_3m_sde", "DPM++ 3M SDE"},
    {"dpmpp_3m_sde_gpu", "DPM++ 3M SDE"},
    {"ddpm", "DDPM"},
    {"lcm", "LCM"},
    {"ipndm", "iPNDM"},
    {"ddim", "DDIM"},
    {"uni_pc", "UniPC"},
    {"uni_pc_bh2", "UniPC"},
    // stable-diffusion.cpp
    {"euler_a", "Euler a"},
    {"dpm2", "DPM2"},
    {"dpm++2s_a", "DPM++ 2S a"},
    {"dpm++2m", "DPM++ 2M"},
    {"ddim_trailing", "DDIM"},
    // InvokeAI, without the _k that stands for Karras
    {"dpmpp_2s", "DPM++ 2S"},
    {"kdpm_2", "DPM2"},
    {"kdpm_2_a", "DPM2 a"},
    {"deis", "DEIS"},
    {"pndm", "PNDM"},
    {"unipc", "UniPC"},
    {"tcd", "TCD"},
    // NovelAI
    {"k_euler", "Euler"},
    {"k_euler_ancestral", "Euler a"},
    {"k_heun", "Heun"},
    {"k_lms", "LMS"},
    {"k_dpm_2", "DPM2"},
    {"k_dpm_2_ancestral", "DPM2 a"},
    {"k_dpm_fast", "DPM fast"},
    {"k_dpm_adaptive", "DPM adaptive"},
    {"k_dpmpp_2s_ancestral", "DPM++ 2S a"},
    {"k_dpmpp_2m", "DPM++ 2M"},
    {"k_dpmpp_sde", "DPM++ SDE"},
    {"k_dpmpp_2m_sde", "DPM++ 2M SDE"},
    {"k_dpmpp_3m_sde", "DPM++ 3M SDE"},
    {"ddim_v3", "DDIM"},
    {"plms", "PLMS"},
    // A1111's other spellings
    {"HeunPP2", "Heun++"},
    {"IPNDM", "iPNDM"},
}};

constexpr std::array<Translation, 17> kSchedules{{
    {"normal", "Uniform"},
    {"discrete", "Uniform"},
    {"native", "Uniform"},
    {"default", "Automatic"},
    {"karras", "Karras"},
    {"exponential", "Exponential"},
    {"polyexponential", "Polyexponential"},
    {"sgm_uniform", "SGM Uniform"},
    {"simple", "Simple"},
    {"ddim_uniform", "DDIM"},
    {"beta", "Beta"},
    {"linear_quadratic", "Linear Quadratic"},
    {"kl_optimal", "KL Optimal"},
    {"ays", "Align Your Steps"},
    {"align_your_steps", "Align Your Steps"},
    {"gits", "Align Your Steps GITS"},
    {"turbo", "Turbo"},
}};

constexpr std::array<std::string_view, 11> kNoisy{
    "Euler a",
    "DPM2 a",
    "DPM++ 2S a",
    "DPM++ SDE",
    "DPM++ 2M SDE",
    "DPM++ 2M SDE Heun",
    "DPM++ 3M SDE",
    "Restart",
    "LCM",
    "DDPM",
    "TCD"};

std::string translate(std::span<const Translation> table, std::string_view name) {
    const auto found = std::find_if(table.begin(), table.end(), [&](const Translation& entry) {
        return entry.foreign == name;
    });
    return std::string(found == table.end() ? name : found->a1111);
}

}  // namespace

std::string a1111_sampler_name(std::string_view name) {
    return translate(kSamplers, name);
}

std::string a1111_schedule_name(std::string_view name) {
    return translate(kSchedules, name);
}

bool draws_noise_in_steps(std::string_view sampler) {
    const std::string name = a1111_sampler_name(sampler);
    return std::find_if(kNoisy.begin(), kNoisy.end(), [&](std::string_view noisy) {
               // Before 1.9 A1111 wrote the schedule into the name: "DPM++ 2M SDE Karras".
               return name == noisy || (name.starts_with(noisy) && name.size() > noisy.size() &&
                                        name[noisy.size()] == ' ');
           }) != kNoisy.end();
}

}  // namespace tessera
