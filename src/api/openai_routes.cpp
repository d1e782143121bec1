#include "api/api.h"
#include "api/given_pictures.h"
#include "api/job_following.h"
#include "api/openai_answer.h"
#include "api/openai_request.h"
#include "api/openai_stream.h"
#include "http/conditional.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <string>
#include <utility>

namespace tessera::api {
namespace {

using Json = nlohmann::ordered_json;
using ExchangePtr = std::shared_ptr<http::Exchange>;

constexpr int kThreads = 2;
constexpr std::size_t kWordsLimit = 1U << 20U;

/// What the routes share.
struct OpenAi {
    explicit OpenAi(const ApiParts& given) : parts(given), following(given, kThreads) {}

    const ApiParts parts;
    StreamPacer pacer;
    JobFollowing following;  // last: its threads use the rest
};

/// OpenAI's clients ask again after 409 and 5xx, and that would be the job once more.
http::Response ended_badly(const JobView& view) {
    http::Response response = openai_error(ApiFault(why_ended(view)));
    response.fields.set("X-Should-Retry", "false");
    return response;
}

void follow_whole(OpenAi& farm, const ExchangePtr& exchange, OpenAiRequest asked) {
    auto kept = std::make_shared<const OpenAiRequest>(std::move(asked));
    JobEars ears;
    ears.on_end = [parts = farm.parts, exchange, kept](tl::expected<FollowedJob, Refusal> how) {
        if (!how) {
            exchange->respond(openai_error(fault_of(std::move(how).error(), openai_names())));
        } else if (how->view.state != JobState::kDone) {
            exchange->respond(ended_badly(how->view));
        } else {
            exchange->respond(openai_pictures(parts, exchange->request(), *kept, *how));
        }
    };
    const auto call = farm.following.submit(
        kept->spec, std::move(ears), {false, is_detached(exchange->request())}
    );
    exchange->on_gone([weak = std::weak_ptr(call)] {
        if (const auto there = weak.lock()) {
            there->leave();
        }
    });
}

/// The call that a stream belongs to, once there is one.
struct CallPlace {
    std::mutex mutex;
    std::weak_ptr<JobFollowing::Call> call;
    bool has_left = false;

    void leave() {
        std::shared_ptr<JobFollowing::Call> there;
        {
            const std::scoped_lock lock(mutex);
            has_left = true;
            there = call.lock();
        }
        if (there) {
            there->leave();
        }
    }
    void set(const std::shared_ptr<JobFollowing::Call>& known) {
        bool is_late = false;
        {
            const std::scoped_lock lock(mutex);
            call = known;
            is_late = has_left;
        }
        if (is_late) {
            known->leave();
        }
    }
};

void follow_stream(
    OpenAi& farm, const ExchangePtr& exchange, OpenAiRequest asked, std::string_view family
) {
    JobSpec spec = asked.spec;
    const FollowOptions options{asked.partial_images > 0, is_detached(exchange->request())};
    const auto place = std::make_shared<CallPlace>();
    const auto stream =
        std::make_shared<OpenAiStream>(farm.parts, farm.pacer, exchange, std::move(asked), family);
    JobEars ears;
    ears.on_accepted = [stream, place](const Submitted& submitted) {
        stream->begin(submitted, [place] { place->leave(); });
    };
    ears.on_event = [stream](const FarmEvent& event) { stream->meet(event); };
    ears.on_end = [stream](tl::expected<FollowedJob, Refusal> how) { stream->end(std::move(how)); };
    exchange->on_gone([place] { place->leave(); });
    place->set(farm.following.submit(std::move(spec), std::move(ears), options));
}

void follow(
    OpenAi& farm, const ExchangePtr& exchange, OpenAiRequest asked, std::string_view family
) {
    settle_openai_model(farm.parts.catalog.models(), asked);
    apply_request(exchange->request(), caller_of(*exchange), asked.spec);
    if (asked.stream) {
        follow_stream(farm, exchange, std::move(asked), family);
    } else {
        follow_whole(farm, exchange, std::move(asked));
    }
}

void generate(OpenAi& farm, const ExchangePtr& exchange) {
    auto asked = parse_openai_generation(exchange->request().body);
    if (!asked) {
        exchange->respond(openai_error(asked.error()));
        return;
    }
    follow(farm, exchange, *std::move(asked), "image_generation");
}

/// Puts the pictures of an edit into the store.
Checked<OpenAiRequest> store_pictures(
    const ApiParts& parts, const std::string& tenant, OpenAiEdit edit, bool is_edit
) {
    JobSpec& spec = edit.request.spec;
    const ByteView image = edit.image.bytes();
    TESSERA_ASSIGN(const auto stored, store_picture(parts, tenant, "image", image));
    spec.init = stored.sha256;
    if (edit.mask) {
        TESSERA_ASSIGN(const auto mask, store_picture(parts, tenant, "mask", edit.mask->bytes()));
        if (mask.entry.width != stored.entry.width || mask.entry.height != stored.entry.height) {
            return refuse(
                "mask",
                ErrorKind::kInvalidArgument,
                "mask is {}x{} and image {}x{}; they must be of one size",
                mask.entry.width,
                mask.entry.height,
                stored.entry.width,
                stored.entry.height
            );
        }
        TESSERA_ASSIGN(spec.mask, store_alpha_mask(parts, tenant, "mask", edit.mask->bytes()));
        if (spec.mask.empty()) {
            return refuse(
                "mask",
                ErrorKind::kInvalidArgument,
                "mask is transparent nowhere, so nothing would be painted"
            );
        }
    } else if (is_edit && stored.entry.has_alpha) {
        TESSERA_ASSIGN(spec.mask, store_alpha_mask(parts, tenant, "image", image));
        if (!spec.mask.empty() && !edit.has_strength) {
            spec.render.strength = kMaskedEditStrength;
        }
    }
    return std::move(edit.request);
}

void edit(OpenAi& farm, const ExchangePtr& exchange, bool is_edit) {
    const http::Request& request = exchange->request();
    const auto content_type = request.fields.get("Content-Type");
    auto parsed = is_edit ? parse_openai_edit(content_type, request.body)
                          : parse_openai_variation(content_type, request.body);
    auto asked = std::move(parsed).and_then([&](OpenAiEdit given) {
        return store_pictures(farm.parts, caller_of(*exchange).tenant, std::move(given), is_edit);
    });
    if (!asked) {
        exchange->respond(openai_error(asked.error()));
        return;
    }
    follow(farm, exchange, *std::move(asked), "image_edit");
}

Json model_json(const ModelEntry& model) {
    return {
        {"id", model.name},
        {"object", "model"},
        {"created", model.modified},
        {"owned_by", "tessera"},
    };
}

void list_models(const ApiParts& parts, http::Exchange& exchange) {
    Json list = Json::array();
    for (const ModelEntry& model : parts.catalog.models()) {
        list.push_back(model_json(model));
    }
    exchange.respond(
        http::json_response(200, Json{{"object", "list"}, {"data", std::move(list)}}.dump())
    );
}

void show_model(const ApiParts& parts, http::Exchange& exchange) {
    const std::string& name = exchange.request().parameters.at("id");
    const auto models = parts.catalog.models();
    const auto model = std::ranges::find(models, name, &ModelEntry::name);
    if (model == models.end()) {
        exchange.respond(openai_error(ApiFault(
            "model", Error{ErrorKind::kNotFound, fmt::format("there is no model \"{:.100}\"", name)}
        )));
        return;
    }
    exchange.respond(http::json_response(200, model_json(*model).dump()));
}

/// A picture by its link: whoever holds the link may see it.
http::Response linked_picture(const ApiParts& parts, const http::Request& request) {
    const auto found = [&]() -> Result<ObjectInfo> {
        TESSERA_ASSIGN(const auto tokens, link_tokens(parts.settings));
        TESSERA_ASSIGN(
            const auto grant, tokens.check(request.parameters.at("token"), parts.clock.wall())
        );
        if (grant.task != kLinkTask || grant.reads.size() != 1) {
            return fail(ErrorKind::kDenied, "this is no link to a picture");
        }
        return parts.store.info(grant.reads.front());
    }();
    if (!found) {
        return openai_error(ApiFault(found.error()));
    }
    const std::string etag = fmt::format("\"{}\"", found->sha256);
    const auto selection = http::select_content(request, etag, found->bytes);
    http::Response response;
    http::describe_selection(selection, etag, found->bytes, response);
    // A worker can claim anything of its result, and this goes to browsers.
    const bool is_picture = std::ranges::any_of(kOutputFormats, [&](std::string_view format) {
        return found->media_type == fmt::format("image/{}", format);
    });
    response.fields.set(
        "Content-Type", is_picture ? found->media_type : "application/octet-stream"
    );
    response.fields.set("Cache-Control", "private, max-age=3600, immutable");
    if (selection.length > 0) {
        const auto bytes = parts.store.read(found->sha256, selection.offset, selection.length);
        if (!bytes) {
            return openai_error(ApiFault(bytes.error()));
        }
        response.body = as_text(*bytes);
    }
    return response;
}

}  // namespace

void add_openai_routes(http::Router& router, const ApiParts& parts) {
    const auto farm = std::make_shared<OpenAi>(parts);
    // A picture and a mask, each a third longer as base 64.
    const std::size_t pictures_limit = parts.settings.upload_bytes / 3 * 8 + kWordsLimit;
    for (const std::string base : {"/v1", ""}) {
        router.add(
            "POST",
            base + "/images/generations",
            [farm](const ExchangePtr& exchange) { generate(*farm, exchange); },
            {kWordsLimit}
        );
        router.add(
            "POST",
            base + "/images/edits",
            [farm](const ExchangePtr& exchange) { edit(*farm, exchange, true); },
            {.body_limit = pictures_limit, .is_slow = true}
        );
        router.add(
            "POST",
            base + "/images/variations",
            [farm](const ExchangePtr& exchange) { edit(*farm, exchange, false); },
            {.body_limit = pictures_limit, .is_slow = true}
        );
        router.add("GET", base + "/images/files/{token}", [farm](const ExchangePtr& exchange) {
            exchange->respond(linked_picture(farm->parts, exchange->request()));
        });
        router.add("GET", base + "/models", [farm](const ExchangePtr& exchange) {
            list_models(farm->parts, *exchange);
        });
        router.add("GET", base + "/models/{id}", [farm](const ExchangePtr& exchange) {
            show_model(farm->parts, *exchange);
        });
    }
}

}  // namespace tessera::api
