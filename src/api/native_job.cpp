#include "api/native_job.h"

#include "base/number.h"

#include <array>
#include <chrono>
#include <cstddef>
#include <string>
#include <utility>

namespace tessera::api {
namespace {

constexpr std::array<FieldName, 46> kNames = {{
    {"kind", "kind"},
    {"model", "model"},
    {"prompt", "prompt"},
    {"negative_prompt", "negative_prompt"},
    {"styles", "styles"},
    {"style", "styles"},
    {"plain", "plain"},
    {"clip_skip", "clip_skip"},
    {"steps", "steps"},
    {"sampler", "sampler"},
    {"schedule", "schedule"},
    {"cfg", "cfg"},
    {"cfg_rescale", "cfg_rescale"},
    {"cfg_interval", "cfg_interval"},
    {"eta", "eta"},
    {"s_noise", "s_noise"},
    {"seed", "seed"},
    {"rng", "rng"},
    {"variation_seed", "variation_seed"},
    {"variation_strength", "variation_strength"},
    {"seed_resize", "seed_resize"},
    {"size", "size"},
    {"hires", "hires"},
    {"hires_steps", "hires_steps"},
    {"hires_strength", "hires_strength"},
    {"upscaler", "upscaler"},
    {"scale", "scale"},
    {"strength", "strength"},
    {"resize_mode", "resize_mode"},
    {"mask_blur", "mask_blur"},
    {"masked_content", "masked_content"},
    {"only_masked", "only_masked"},
    {"outpaint", "outpaint"},
    {"init", "init"},
    {"mask", "mask"},
    {"count", "count"},
    {"format", "format"},
    {"quality", "quality"},
    {"deadline", "deadline"},
    {"idempotency_key", "idempotency_key"},
    {"zero_snr", "zero_snr"},
    {"exact_size", "exact_size"},
    {"restore", "restore"},
    {"mask_from_alpha", "mask_from_alpha"},
    {"mask_invert", "mask_invert"},
    {"client_tag", "tag"},
}};

/// Reads digits one after the other.
class DigitReader {
  public:
    explicit DigitReader(std::string_view text) : rest_(text) {}

    int number(std::size_t digits) {
        const auto value = read_number<unsigned>(rest_.substr(0, digits));
        is_good_ = is_good_ && value && rest_.size() >= digits;
        rest_.remove_prefix(std::min(digits, rest_.size()));
        return value && is_good_ ? static_cast<int>(*value) : 0;
    }
    char letter() {
        const char found = rest_.empty() ? '\0' : rest_.front();
        rest_.remove_prefix(rest_.empty() ? 0 : 1);
        return found;
    }
    void expect(char wanted) { is_good_ = (letter() == wanted) && is_good_; }
    [[nodiscard]] char next() const { return rest_.empty() ? '\0' : rest_.front(); }
    [[nodiscard]] bool is_done() const { return is_good_ && rest_.empty(); }
    [[nodiscard]] bool is_good() const { return is_good_; }

  private:
    std::string_view rest_;
    bool is_good_ = true;
};

template <class T, class Find>
void read_choice(JsonObject& body, std::string_view name, T& value, const Find& find) {
    std::optional<std::string> word;
    body.read(name, word);
    if (word) {
        if (auto found = find(*word)) {
            value = *found;
        } else {
            body.refuse(name, found.error().message);
        }
    }
}

void read_render(JsonObject& body, RenderSettings& render) {
    body.read("model", render.model);
    body.read("prompt", render.prompt);
    body.read("negative_prompt", render.negative_prompt);
    body.read("styles", render.styles);
    body.read("plain", render.plain);
    body.read("clip_skip", render.clip_skip);
    body.read("steps", render.steps);
    body.read("sampler", render.sampler);
    body.read("schedule", render.schedule);
    body.read("cfg", render.cfg);
    body.read("cfg_rescale", render.cfg_rescale);
    body.read("cfg_interval", render.cfg_interval);
    body.read("eta", render.eta);
    body.read("s_noise", render.s_noise);
    body.read("zero_snr", render.zero_snr);
    body.read_text_or_number("seed", render.seed);
    body.read("rng", render.rng);
    body.read_text_or_number("variation_seed", render.variation_seed);
    body.read("variation_strength", render.variation_strength);
    body.read("seed_resize", render.seed_resize);
    body.read("size", render.size);
    body.read("exact_size", render.exact_size);
    body.read_text_or_number("hires", render.hires);
    body.read("hires_steps", render.hires_steps);
    body.read("hires_strength", render.hires_strength);
    body.read("upscaler", render.upscaler);
    body.read("restore", render.restore);
    body.read("strength", render.strength);
    body.read("resize_mode", render.resize_mode);
    body.read("mask_from_alpha", render.mask_from_alpha);
    body.read("mask_invert", render.mask_invert);
    body.read("mask_blur", render.mask_blur);
    body.read("masked_content", render.masked_content);
    body.read("only_masked", render.only_masked);
    body.read_text_or_number("outpaint", render.outpaint);
}

void read_upscale(JsonObject& body, UpscaleSettings& upscale) {
    body.read("upscaler", upscale.upscaler);
    body.read_text_or_number("scale", upscale.scale);
    body.read("restore", upscale.restore);
}

void read_rest(JsonObject& body, JobSpec& spec) {
    body.read("count", spec.count);
    body.read("init", spec.init);
    body.read("format", spec.output.format);
    body.read("quality", spec.output.quality);
    read_choice(body, "priority", spec.priority, find_priority);
    body.read("idempotency_key", spec.idempotency_key);
    body.read("tag", spec.client_tag);
    std::optional<std::string> deadline;
    body.read("deadline", deadline);
    if (deadline) {
        spec.deadline = parse_time(*deadline);
        if (!spec.deadline) {
            body.refuse("deadline", "it must be a time such as 2026-11-23T17:20:03Z");
        }
    }
    if (body.has("webhook")) {
        body.refuse("webhook", "this server calls no addresses; listen to /api/v1/events");
    }
}

}  // namespace

std::span<const FieldName> native_names() {
    return kNames;
}

std::optional<WallTime> parse_time(std::string_view text) {
    namespace chrono = std::chrono;
    DigitReader in(text);
    const chrono::year year(in.number(4));
    in.expect('-');
    const chrono::month month(static_cast<unsigned>(in.number(2)));
    in.expect('-');
    const chrono::day day(static_cast<unsigned>(in.number(2)));
    in.expect('T');
    const int hour = in.number(2);
    in.expect(':');
    const int minute = in.number(2);
    in.expect(':');
    const int second = in.number(2);
    int milliseconds = 0;
    if (in.next() == '.') {
        in.expect('.');
        for (int weight = 100; in.is_good() && in.next() >= '0' && in.next() <= '9'; weight /= 10) {
            milliseconds += in.number(1) * weight;
        }
    }
    chrono::minutes offset{0};
    if (const char zone = in.letter(); zone == '+' || zone == '-') {
        const int hours = in.number(2);
        in.expect(':');
        const int minutes = in.number(2);
        if (hours > 23 || minutes > 59) {
            return std::nullopt;
        }
        offset = (chrono::hours(hours) + chrono::minutes(minutes)) * (zone == '+' ? 1 : -1);
    } else if (zone != 'Z') {
        return std::nullopt;
    }
    const chrono::year_month_day date(year, month, day);
    if (!in.is_done() || !date.ok() || hour > 23 || minute > 59 || second > 60) {
        return std::nullopt;
    }
    const WallTime time = chrono::sys_days(date) + chrono::hours(hour) + chrono::minutes(minute) +
                          chrono::seconds(second) + chrono::milliseconds(milliseconds) - offset;
    constexpr WallTime kAfterLast = chrono::sys_days(chrono::year(10'000) / chrono::January / 1);
    return time >= WallTime() && time < kAfterLast ? std::optional(time) : std::nullopt;
}

tl::expected<JobSpec, FieldError> parse_native_job(BodyFormat format, std::string_view text) {
    auto parsed = JsonObject::parse(format, text);
    if (!parsed) {
        return tl::unexpected(FieldError{std::move(parsed).error()});
    }
    JsonObject& body = *parsed;
    JobSpec spec;
    read_choice(body, "kind", spec.kind, find_job_kind);
    if (spec.kind == JobKind::kRender) {
        read_render(body, spec.render);
        body.read("mask", spec.mask);
    } else {
        read_upscale(body, spec.upscale);
    }
    read_rest(body, spec);
    if (auto status = body.finish_strictly(); !status) {
        return tl::unexpected(std::move(status).error());
    }
    const bool has_source = body.has("prompt") || !spec.init.empty();
    if (spec.kind == JobKind::kRender && !has_source) {
        return tl::unexpected(FieldError{
            {ErrorKind::kInvalidArgument, "prompt is missing"}, "prompt"});
    }
    return spec;
}

}  // namespace tessera::api
