#include "api/submission.h"

#include "base/hash.h"
#include "job/planner.h"

#include <string_view>
#include <utility>

namespace tessera::api {
namespace {

bool is_open(const std::string& seed) {
    return seed.empty() || seed == "-1";
}

/// 32 bits in decimal, drawn from what was asked for.
std::string seed_from(std::string_view purpose, const JobSpec& spec, const std::string& body) {
    const std::string hash = sha256_hex(
        as_bytes(fmt::format("{}\n{}\n{}\n{}", purpose, spec.tenant, spec.idempotency_key, body))
    );
    return std::to_string(std::stoul(hash.substr(0, 8), nullptr, 16));
}

std::size_t tasks_of(const QueueCounts& counts) {
    return counts.blocked + counts.ready + counts.delayed + counts.running;
}

/// A repeated request must give the same job, so what is left to chance comes from the request.
void settle_chance(JobSpec& spec) {
    RenderSettings& render = spec.render;
    const std::string body = body_hash(spec);
    if (is_open(render.seed)) {
        render.seed = seed_from("seed", spec, body);
    }
    const bool varies = render.variation_strength.value_or(0.0) > 0.0;
    if (render.variation_seed == "-1" || (varies && render.variation_seed.empty())) {
        render.variation_seed = seed_from("variation", spec, body);
    }
}

}  // namespace

SubmissionDesk::SubmissionDesk(
    const Catalog& catalog,
    TaskQueue& queue,
    const Dispatcher& dispatcher,
    TenantLimits limits,
    const Clock& clock,
    Entropy& entropy
)
    : catalog_(catalog),
      queue_(queue),
      dispatcher_(dispatcher),
      limits_(limits),
      clock_(clock),
      entropy_(entropy) {}

JobId SubmissionDesk::new_job_id() {
    return JobId{new_ulid(clock_.wall(), entropy_)};
}

void SubmissionDesk::submit(
    JobId id, JobSpec spec, std::function<void(tl::expected<Submitted, Refusal>)> done
) {
    const auto refuse = [this](Error error) -> tl::unexpected<Refusal> {
        Refusal refusal{std::move(error), std::nullopt};
        if (refusal.error.kind == ErrorKind::kExhausted) {
            refusal.retry_after = dispatcher_.retry_after();
        }
        return tl::unexpected(std::move(refusal));
    };
    if (!spec.idempotency_key.empty()) {
        settle_chance(spec);
    }
    auto resolved = catalog_.resolve(std::move(spec));
    if (!resolved) {
        done(refuse(std::move(resolved).error()));
        return;
    }
    // The job by itself now; whether there is room for it when it turns out to be a new one.
    auto admit = [this, job = *resolved](const QueueCounts& counts) {
        const TenantLoad load{tasks_of(counts), counts.waiting_cost, tasks_of(queue_.counts(""))};
        return check_limits(job.first, job.second, load, limits_);
    };
    if (auto allowed = check_limits(resolved->first, resolved->second, {}, limits_); !allowed) {
        done(refuse(std::move(allowed).error()));
        return;
    }
    auto plan = plan_job(std::move(resolved->first), std::move(resolved->second));
    if (!plan) {
        done(refuse(std::move(plan).error()));
        return;
    }
    Submitted submitted{id, false, plan->spec, plan->remarks};
    queue_.enqueue(
        std::move(id),
        *std::move(plan),
        [submitted = std::move(submitted), done = std::move(done), refuse](Result<Enqueued> answer
        ) mutable {
            if (!answer) {
                done(refuse(std::move(answer).error()));
                return;
            }
            submitted.id = std::move(answer->job);
            submitted.existed = answer->existed;
            done(std::move(submitted));
        },
        std::move(admit)
    );
}

}  // namespace tessera::api
