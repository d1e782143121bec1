#include "imaging/a1111_parameters.h"

#include <array>

namespace tessera {
namespace {

using Fate = A1111Key::Fate;

constexpr std::array kKeys{
    // The table of what is written, in about the order of modules/processing.py's create_infotext.
    A1111Key{"Steps", Fate::kHonoured, "", ""},
    A1111Key{"Sampler", Fate::kHonoured, "", ""},
    A1111Key{"Schedule type", Fate::kHonoured, "", ""},
    A1111Key{"CFG scale", Fate::kHonoured, "", ""},
    A1111Key{"Seed", Fate::kHonoured, "", ""},
    A1111Key{"Size", Fate::kHonoured, "", ""},
    A1111Key{"Model", Fate::kHonoured, "", ""},
    A1111Key{"Model hash", Fate::kHonoured, "", ""},
    A1111Key{"Variation seed", Fate::kHonoured, "", ""},
    A1111Key{"Variation seed strength", Fate::kHonoured, "", ""},
    A1111Key{"Seed resize from", Fate::kHonoured, "", ""},
    A1111Key{"Denoising strength", Fate::kHonoured, "", ""},
    A1111Key{"Clip skip", Fate::kHonoured, "", ""},
    A1111Key{"ENSD", Fate::kHonoured, "", ""},
    A1111Key{"RNG", Fate::kHonoured, "", ""},
    A1111Key{"Emphasis", Fate::kHonoured, "", ""},
    A1111Key{"Eta", Fate::kHonoured, "", ""},
    A1111Key{"Eta DDIM", Fate::kHonoured, "", ""},
    A1111Key{"Sigma noise", Fate::kHonoured, "", ""},
    A1111Key{"Skip Early CFG", Fate::kHonoured, "", ""},
    A1111Key{"Noise Schedule", Fate::kHonoured, "", ""},
    A1111Key{"Hires upscale", Fate::kHonoured, "", ""},
    A1111Key{"Hires resize", Fate::kHonoured, "", ""},
    A1111Key{"Hires steps", Fate::kHonoured, "", ""},
    A1111Key{"Hires upscaler", Fate::kHonoured, "", ""},
    A1111Key{"Hires sampler", Fate::kHonoured, "", ""},
    A1111Key{"Hires schedule type", Fate::kHonoured, "", ""},
    A1111Key{"Hires CFG Scale", Fate::kHonoured, "", ""},
    A1111Key{"Hires prompt", Fate::kHonoured, "", ""},
    A1111Key{"Hires negative prompt", Fate::kHonoured, "", ""},
    A1111Key{"First pass size", Fate::kHonoured, "", ""},
    A1111Key{"Mask blur", Fate::kHonoured, "", ""},
    A1111Key{"Mask mode", Fate::kHonoured, "", ""},
    A1111Key{"Masked content", Fate::kHonoured, "", ""},
    A1111Key{"Inpaint area", Fate::kHonoured, "", ""},
    A1111Key{"Masked area padding", Fate::kHonoured, "", ""},

    A1111Key{"Version", Fate::kHarmless, "", ""},
    A1111Key{"User", Fate::kHarmless, "", ""},
    A1111Key{"Lora hashes", Fate::kHarmless, "", ""},
    A1111Key{"TI hashes", Fate::kHarmless, "", ""},
    A1111Key{"TI", Fate::kHarmless, "", ""},
    A1111Key{"VAE hash", Fate::kHarmless, "", ""},
    A1111Key{"Hypernet hash", Fate::kHarmless, "", ""},
    A1111Key{"Init image hash", Fate::kHarmless, "", ""},
    A1111Key{"Batch size", Fate::kHarmless, "", ""},
    A1111Key{"Batch pos", Fate::kHarmless, "", ""},
    A1111Key{"Wildcard prompt", Fate::kHarmless, "", ""},
    A1111Key{"Wildcard negative prompt", Fate::kHarmless, "", ""},
    A1111Key{"Template", Fate::kHarmless, "", ""},
    A1111Key{"Negative Template", Fate::kHarmless, "", ""},
    A1111Key{"Hashes", Fate::kHarmless, "", ""},
    A1111Key{"Cache FP16 weight for LoRA", Fate::kHarmless, "", ""},
    A1111Key{"Resize mode", Fate::kHarmless, "", ""},
    A1111Key{"Created Date", Fate::kHarmless, "", ""},

    A1111Key{"VAE", Fate::kNotHonoured, "another VAE than the model's own", "Automatic"},
    A1111Key{"VAE Encoder", Fate::kNotHonoured, "a small approximate VAE", "Full"},
    A1111Key{"VAE Decoder", Fate::kNotHonoured, "a small approximate VAE", "Full"},
    A1111Key{"Refiner", Fate::kNotHonoured, "a second model for the last steps", "None"},
    A1111Key{"Refiner switch at", Fate::kNotHonoured, "a second model for the last steps", ""},
    A1111Key{
        "Hires checkpoint",
        Fate::kNotHonoured,
        "a second model for the second pass",
        "Use same checkpoint"},
    A1111Key{
        "Hires Module 1",
        Fate::kNotHonoured,
        "another VAE or text encoder for the second pass",
        "Use same choices"},
    A1111Key{"Module 1", Fate::kNotHonoured, "another VAE or text encoder", ""},
    A1111Key{"Face restoration", Fate::kNotHonoured, "faces painted over by another network", ""},
    A1111Key{"Tiling", Fate::kNotHonoured, "edges that continue on the other side", "False"},
    A1111Key{"Hypernet", Fate::kNotHonoured, "a hypernetwork", "None"},
    A1111Key{"Hypernet strength", Fate::kNotHonoured, "a hypernetwork", ""},
    A1111Key{"AddNet Enabled", Fate::kNotHonoured, "additional networks", "False"},
    A1111Key{"Image CFG scale", Fate::kNotHonoured, "guidance by the init picture", ""},
    A1111Key{"Distilled CFG Scale", Fate::kNotHonoured, "guidance for distilled models", ""},
    A1111Key{"Conditional mask weight", Fate::kNotHonoured, "models made for inpainting", ""},
    A1111Key{
        "Noise multiplier", Fate::kNotHonoured, "more or less noise on the init picture", "1.0"},
    A1111Key{"Extra noise", Fate::kNotHonoured, "extra noise on the init picture", "0.0"},
    A1111Key{"Soft inpainting enabled", Fate::kNotHonoured, "soft inpainting", "False"},
    A1111Key{
        "Color correction", Fate::kNotHonoured, "colours matched to the init picture", "False"},
    A1111Key{"NGMS", Fate::kNotHonoured, "the negative prompt left out near the end", "0.0"},
    A1111Key{
        "NGMS all steps", Fate::kNotHonoured, "the negative prompt left out near the end", "False"},
    A1111Key{"Pad conds", Fate::kNotHonoured, "prompts padded to the same length", "False"},
    A1111Key{"Pad conds v0", Fate::kNotHonoured, "prompts padded to the same length", "False"},
    A1111Key{"Token merging ratio", Fate::kNotHonoured, "merged tokens", "0.0"},
    A1111Key{"Token merging ratio hr", Fate::kNotHonoured, "merged tokens", "0.0"},
    A1111Key{"FP8 weight", Fate::kNotHonoured, "weights rounded to 8 bits", "Disable"},
    A1111Key{
        "Downcast alphas_cumprod",
        Fate::kNotHonoured,
        "a noise schedule in half precision",
        "False"},
    A1111Key{"Upcast cross attention", Fate::kHarmless, "", ""},
    A1111Key{"Schedule max sigma", Fate::kNotHonoured, "another range of noise levels", "0"},
    A1111Key{"Schedule min sigma", Fate::kNotHonoured, "another range of noise levels", "0"},
    A1111Key{"Schedule rho", Fate::kNotHonoured, "another bend of the Karras schedule", "0"},
    A1111Key{"Beta schedule alpha", Fate::kNotHonoured, "another bend of the Beta schedule", "0.6"},
    A1111Key{"Beta schedule beta", Fate::kNotHonoured, "another bend of the Beta schedule", "0.6"},
    A1111Key{"Discard penultimate sigma", Fate::kNotHonoured, "a step left out", "False"},
    A1111Key{
        "SGM noise multiplier", Fate::kNotHonoured, "starting noise of another strength", "False"},
    A1111Key{"Sigma churn", Fate::kNotHonoured, "noise added on the way", "0.0"},
    A1111Key{"Sigma tmin", Fate::kNotHonoured, "noise added on the way", "0.0"},
    A1111Key{"Sigma tmax", Fate::kNotHonoured, "noise added on the way", "999.0"},
    A1111Key{"DDIM Discretize", Fate::kNotHonoured, "timesteps spaced otherwise", "uniform"},
    A1111Key{"UniPC variant", Fate::kNotHonoured, "a variant of UniPC", "bh1"},
    A1111Key{"UniPC skip type", Fate::kNotHonoured, "a variant of UniPC", "time_uniform"},
    A1111Key{"UniPC order", Fate::kNotHonoured, "a variant of UniPC", "3"},
    A1111Key{"UniPC lower order final", Fate::kNotHonoured, "a variant of UniPC", "True"},
    A1111Key{
        "Old prompt editing timelines",
        Fate::kNotHonoured,
        "prompt editing as it once was",
        "False"},
    A1111Key{"Rescale CFG", Fate::kHonoured, "", ""},
    A1111Key{"RescaleCFG Enabled", Fate::kNotHonoured, "CFG rescaled by an extension", "False"},

    // stable-diffusion.cpp
    A1111Key{"Guidance", Fate::kHarmless, "", ""},
    A1111Key{"TE", Fate::kNotHonoured, "a separate text encoder", ""},
    A1111Key{"Unet", Fate::kNotHonoured, "a separate UNet", ""},
    A1111Key{"Sampler RNG", Fate::kNotHonoured, "a second random generator", ""},
    A1111Key{"SLG scale", Fate::kNotHonoured, "guidance that skips layers", "0.000000"},
    A1111Key{"Skip layers", Fate::kNotHonoured, "guidance that skips layers", ""},
    A1111Key{"Skip layer start", Fate::kHarmless, "", ""},
    A1111Key{"Skip layer end", Fate::kHarmless, "", ""},
    A1111Key{"Custom Sigmas", Fate::kNotHonoured, "noise levels of its own", ""},
};

}  // namespace

std::span<const A1111Key> known_a1111_keys() {
    return kKeys;
}

}  // namespace tessera
