#include "diffusion/schedule_names.h"

#include <algorithm>
#include <array>

namespace tessera {

namespace {

struct ScheduleName {
    std::string_view name;
    ScheduleKind kind;
};

/// The first name of each kind is the one to show. "ka" ends A1111's old short names.
constexpr std::array<ScheduleName, 16> kSchedules{{
    {"Automatic", ScheduleKind::kAutomatic},
    {"Uniform", ScheduleKind::kUniform},
    {"Normal", ScheduleKind::kUniform},
    {"discrete", ScheduleKind::kUniform},
    {"Karras", ScheduleKind::kKarras},
    {"ka", ScheduleKind::kKarras},
    {"Exponential", ScheduleKind::kExponential},
    {"Polyexponential", ScheduleKind::kExponential},
    {"SGM Uniform", ScheduleKind::kSgmUniform},
    {"Simple", ScheduleKind::kSimple},
    {"DDIM", ScheduleKind::kDdim},
    {"DDIM Uniform", ScheduleKind::kDdim},
    {"Beta", ScheduleKind::kBeta},
    {"KL Optimal", ScheduleKind::kKlOptimal},
    {"Align Your Steps", ScheduleKind::kAlignYourSteps},
    {"AYS", ScheduleKind::kAlignYourSteps},
}};

constexpr std::array<ScheduleKind, 10> kKinds{
    ScheduleKind::kAutomatic,
    ScheduleKind::kUniform,
    ScheduleKind::kKarras,
    ScheduleKind::kExponential,
    ScheduleKind::kSgmUniform,
    ScheduleKind::kSimple,
    ScheduleKind::kDdim,
    ScheduleKind::kBeta,
    ScheduleKind::kKlOptimal,
    ScheduleKind::kAlignYourSteps};

}  // namespace

std::span<const ScheduleKind> known_schedules() {
    return kKinds;
}

std::string normalised_name(std::string_view name) {
    std::string out;
    for (const char c : name) {
        if (c >= 'A' && c <= 'Z') {
            out += static_cast<char>(c - 'A' + 'a');
        } else if (c == '+') {
            out += 'p';
        } else if (c != ' ' && c != '_' && c != '-') {
            out += c;
        }
    }
    return out;
}

std::string_view shown_name(std::string_view name) {
    constexpr std::size_t kMostBytes = 64;
    return name.substr(0, kMostBytes);
}

std::vector<NameReading> readings_of(const std::string& name) {
    std::vector<NameReading> readings{{name, ScheduleKind::kAutomatic}};
    for (const ScheduleName& schedule : kSchedules) {
        const std::string suffix = normalised_name(schedule.name);
        if (name.ends_with(suffix)) {
            readings.push_back({name.substr(0, name.size() - suffix.size()), schedule.kind});
        }
    }
    return readings;
}

Result<ScheduleKind> find_schedule(std::string_view name) {
    const std::string wanted = normalised_name(name);
    std::string known;
    for (const ScheduleName& schedule : kSchedules) {
        if (normalised_name(schedule.name) == wanted) {
            return schedule.kind;
        }
        if (to_string(schedule.kind) == schedule.name) {
            known += fmt::format("{}{}", known.empty() ? "" : ", ", schedule.name);
        }
    }
    return fail(
        ErrorKind::kNotFound,
        "no schedule type is called \"{}\"; there are {}",
        shown_name(name),
        known
    );
}

std::string_view to_string(ScheduleKind schedule) {
    return std::find_if(
               kSchedules.begin(),
               kSchedules.end(),
               [&](const ScheduleName& entry) { return entry.kind == schedule; }
    )->name;
}

}  // namespace tessera
