#include "api/a1111_farm_internal.h"
#include "api/given_pictures.h"

#include <nlohmann/json.hpp>

#include <utility>

namespace tessera::api {
namespace {

constexpr std::size_t kWordsLimit = 1U << 20U;

Checked<void> store_pictures(
    const ApiParts& parts, const std::string& tenant, A1111Request& asked
) {
    if (asked.init) {
        TESSERA_ASSIGN(
            const auto init, store_picture(parts, tenant, "init_images[0]", *asked.init)
        );
        asked.spec.init = init.sha256;
        asked.init.reset();
    }
    if (asked.mask) {
        TESSERA_ASSIGN(const auto mask, store_picture(parts, tenant, "mask", *asked.mask));
        asked.spec.mask = mask.sha256;
        asked.mask.reset();
    }
    return {};
}

/// What the request's job is to its key until it ends.
JobEars ears_of(
    A1111Farm& farm, const ExchangePtr& exchange, const std::shared_ptr<const A1111Request>& asked
) {
    const std::string key = desk_key(*exchange);
    const auto job = std::make_shared<JobId>();
    JobEars ears;
    ears.on_accepted = [&farm, key, asked, job](const Submitted& submitted) {
        *job = submitted.id;
        A1111Progress call;
        call.job = submitted.id;
        call.task = asked->spec.client_tag;
        call.count = asked->spec.count;
        call.since = farm.parts.clock.wall();
        farm.desk.begin(key, std::move(call));
    };
    ears.on_event = [&farm, key](const FarmEvent& event) { farm.desk.meet(key, event); };
    ears.on_end = [&farm, key, exchange, asked, job](tl::expected<FollowedJob, Refusal> how) {
        farm.desk.end(key, *job);
        if (!how) {
            exchange->respond(a1111_error(fault_of(std::move(how).error(), a1111_names())));
        } else if (how->view.state == JobState::kFailed) {
            exchange->respond(a1111_error(ApiFault(why_ended(how->view))));
        } else {
            exchange->respond(a1111_pictures(farm.parts, *asked, *how));
        }
    };
    ears.on_left = [&farm, key, job] { farm.desk.end(key, *job); };
    return ears;
}

void paint(A1111Farm& farm, const ExchangePtr& exchange, A1111Call call) {
    const http::Request& request = exchange->request();
    const std::string& key = desk_key(*exchange);
    auto asked = parse_a1111_request(
        call, request.body, farm.desk.options(key), farm.parts.catalog.models()
    );
    const auto stored = asked ? store_pictures(farm.parts, caller_of(*exchange).tenant, *asked)
                              : Checked<void>(tl::unexpected(asked.error()));
    if (!stored) {
        exchange->respond(a1111_error(stored.error()));
        return;
    }
    if (asked->kept_options) {
        farm.desk.set_options(key, *asked->kept_options);
    }
    apply_request(request, caller_of(*exchange), asked->spec);
    const auto kept = std::make_shared<const A1111Request>(*std::move(asked));
    leave_when_gone(
        exchange,
        farm.following.submit(
            kept->spec, ears_of(farm, exchange, kept), {true, is_detached(request)}
        )
    );
}

}  // namespace

void leave_when_gone(const ExchangePtr& exchange, const std::shared_ptr<JobFollowing::Call>& call) {
    exchange->on_gone([weak = std::weak_ptr(call)] {
        if (const auto there = weak.lock()) {
            there->leave();
        }
    });
}

void add_a1111_picture_routes(http::Router& router, const A1111FarmPtr& farm) {
    router.add(
        "POST",
        "/sdapi/v1/txt2img",
        [farm](const ExchangePtr& exchange) { paint(*farm, exchange, A1111Call::kTxt2img); },
        {kWordsLimit}
    );
    // A picture and a mask, each a third longer as base 64.
    router.add(
        "POST",
        "/sdapi/v1/img2img",
        [farm](const ExchangePtr& exchange) { paint(*farm, exchange, A1111Call::kImg2img); },
        {.body_limit = farm->parts.settings.upload_bytes / 3 * 8 + kWordsLimit, .is_slow = true}
    );
}

void add_a1111_routes(http::Router& router, const ApiParts& parts) {
    const auto farm = std::make_shared<A1111Farm>(parts);
    add_a1111_picture_routes(router, farm);
    add_a1111_progress_routes(router, farm);
    add_a1111_list_routes(router, farm);
    add_a1111_option_routes(router, farm);
    add_a1111_extras_routes(router, farm);
}

}  // namespace tessera::api
