#include "api/a1111_extras.h"
#include "api/a1111_farm_internal.h"
#include "api/base64.h"
#include "api/given_pictures.h"
#include "api/loose_fields_internal.h"

#include <mutex>
#include <utility>

namespace tessera::api {
namespace {

constexpr std::size_t kWordsLimit = 1U << 20U;
/// Pictures of a batch come in one body.
constexpr std::size_t kBatchPictures = 4;

/// The answer to a call for several pictures, each a job of its own.
class ExtrasAnswer {
  public:
    ExtrasAnswer(const ApiParts& parts, ExchangePtr exchange, ExtrasCall call, std::size_t pictures)
        : parts_(parts),
          exchange_(std::move(exchange)),
          call_(call),
          pictures_(pictures),
          missing_(pictures) {}

    void meet(std::size_t number, tl::expected<FollowedJob, Refusal> how) {
        if (!how) {
            refuse_all(fault_of(std::move(how).error(), a1111_names()));
            return;
        }
        const auto made = published_pictures(how->view);
        if (how->view.state != JobState::kDone || made.empty()) {
            refuse_all(ApiFault(why_ended(how->view)));
            return;
        }
        auto bytes = parts_.store.get(made.front().result->object.sha256);
        if (!bytes) {
            refuse_all(ApiFault(Error{ErrorKind::kInternal, bytes.error().message}));
            return;
        }
        put(number, *std::move(bytes), how->submitted.remarks);
    }

    void put(std::size_t number, Bytes picture, const std::vector<std::string>& remarks) {
        {
            const std::scoped_lock lock(mutex_);
            pictures_.at(number) = std::move(picture);
            remarks_.insert(remarks_.end(), remarks.begin(), remarks.end());
            if (--missing_ > 0) {
                return;
            }
        }
        respond();
    }

    /// The first of them is the answer. Nobody waits for the other pictures any more.
    void refuse_all(const ApiFault& fault) {
        exchange_->respond(a1111_error(fault));
        leave_all();
    }

    void add(const std::shared_ptr<JobFollowing::Call>& call) {
        {
            const std::scoped_lock lock(mutex_);
            calls_.emplace_back(call);
            if (!has_left_) {
                return;
            }
        }
        call->leave();
    }

    void leave_all() {
        std::vector<std::weak_ptr<JobFollowing::Call>> calls;
        {
            const std::scoped_lock lock(mutex_);
            has_left_ = true;
            calls.swap(calls_);
        }
        for (const auto& one : calls) {
            if (const auto there = one.lock()) {
                there->leave();
            }
        }
    }

  private:
    void respond() {
        std::size_t length = 256;
        for (const Bytes& picture : pictures_) {
            length += base64_length(picture.size()) + 4;
        }
        const bool is_batch = call_ == ExtrasCall::kBatch;
        std::string body;
        body.reserve(length);
        body += "{\"html_info\":" + Json(html_of(remarks_)).dump();
        body += is_batch ? ",\"images\":[" : ",\"image\":";
        for (std::size_t i = 0; i < pictures_.size(); ++i) {
            body += i == 0 ? "\"" : ",\"";
            append_base64(body, pictures_[i]);
            body += '"';
        }
        body += is_batch ? "]}" : "}";
        exchange_->respond(http::json_response(200, std::move(body)));
    }

    /// Remarks are our own sentences, but they may hold a client's words.
    static std::string html_of(const std::vector<std::string>& remarks) {
        std::string html;
        for (const std::string& remark : remarks) {
            html += "<p>";
            for (const char letter : remark) {
                html += letter == '<' ? "&lt;" : letter == '&' ? "&amp;" : std::string(1, letter);
            }
            html += "</p>";
        }
        return html;
    }

    const ApiParts parts_;
    const ExchangePtr exchange_;
    const ExtrasCall call_;
    std::mutex mutex_;
    std::vector<Bytes> pictures_;
    std::size_t missing_;
    std::vector<std::string> remarks_;
    std::vector<std::weak_ptr<JobFollowing::Call>> calls_;
    bool has_left_ = false;
};

Checked<std::vector<JobSpec>> jobs_of(
    const ApiParts& parts, const http::Exchange& exchange, const A1111Extras& extras
) {
    std::vector<JobSpec> jobs;
    for (const Bytes& picture : extras.pictures) {
        JobSpec spec;
        apply_request(exchange.request(), caller_of(exchange), spec);
        if (extras.pictures.size() > 1 && !spec.idempotency_key.empty()) {
            spec.idempotency_key += fmt::format(".{}", jobs.size());
        }
        spec.kind = JobKind::kUpscale;
        spec.upscale = extras.upscale;
        TESSERA_ASSIGN(const auto stored, store_picture(parts, spec.tenant, "image", picture));
        TESSERA_ASSIGN(spec.upscale.scale, extras_scale(extras, stored.entry));
        spec.init = stored.sha256;
        jobs.push_back(std::move(spec));
    }
    return jobs;
}

/// As A1111 does with upscaler "None": the picture itself, as PNG.
void give_back(const ApiParts& parts, const A1111Extras& extras, ExtrasAnswer& answer) {
    for (std::size_t i = 0; i < extras.pictures.size(); ++i) {
        auto png = parts.catalog.convert(extras.pictures[i], "png", std::nullopt);
        if (!png) {
            answer.refuse_all(ApiFault("image", std::move(png).error()));
            return;
        }
        answer.put(i, *std::move(png), {});
    }
}

void enlarge(A1111Farm& farm, const ExchangePtr& exchange, ExtrasCall call) {
    const auto extras = parse_a1111_extras(call, exchange->request().body);
    if (!extras) {
        exchange->respond(a1111_error(extras.error()));
        return;
    }
    const auto answer =
        std::make_shared<ExtrasAnswer>(farm.parts, exchange, call, extras->pictures.size());
    if (extras->changes_nothing) {
        give_back(farm.parts, *extras, *answer);
        return;
    }
    auto jobs = jobs_of(farm.parts, *exchange, *extras);
    if (!jobs) {
        exchange->respond(a1111_error(jobs.error()));
        return;
    }
    for (std::size_t i = 0; i < jobs->size(); ++i) {
        JobEars ears;
        ears.on_end = [answer, i](tl::expected<FollowedJob, Refusal> how) {
            answer->meet(i, std::move(how));
        };
        answer->add(farm.following.submit(
            std::move((*jobs)[i]), std::move(ears), {false, is_detached(exchange->request())}
        ));
    }
    exchange->on_gone([weak = std::weak_ptr(answer)] {
        if (const auto there = weak.lock()) {
            there->leave_all();
        }
    });
}

Checked<http::Response> png_info(const ApiParts& parts, const http::Exchange& exchange) {
    TESSERA_ASSIGN(const auto body, parse_loose_body(exchange.request().body));
    TESSERA_ASSIGN(const auto picture, LooseFields(body).picture("image"));
    if (!picture) {
        return refuse("image", ErrorKind::kInvalidArgument, "image is missing");
    }
    auto texts = parts.catalog.picture_texts(*picture);
    if (!texts) {
        return tl::unexpected(ApiFault("image", std::move(texts).error()));
    }
    const auto at = texts->find("parameters");
    const std::string info = at == texts->end() ? "" : at->second;
    Json answer{{"info", info}, {"items", *texts}};
    answer["parameters"] = info.empty() ? Json::object() : Json::parse(parsed_parameters(info));
    return http::json_response(200, answer.dump(-1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace

void add_a1111_extras_routes(http::Router& router, const A1111FarmPtr& farm) {
    const std::size_t picture = farm->parts.settings.upload_bytes / 3 * 4 + kWordsLimit;
    router.add(
        "POST",
        "/sdapi/v1/extra-single-image",
        [farm](const ExchangePtr& exchange) { enlarge(*farm, exchange, ExtrasCall::kSingle); },
        {.body_limit = picture, .is_slow = true}
    );
    router.add(
        "POST",
        "/sdapi/v1/extra-batch-images",
        [farm](const ExchangePtr& exchange) { enlarge(*farm, exchange, ExtrasCall::kBatch); },
        {.body_limit = picture * kBatchPictures, .is_slow = true}
    );
    router.add(
        "POST",
        "/sdapi/v1/png-info",
        [farm](const ExchangePtr& exchange) {
            auto response = png_info(farm->parts, *exchange);
            exchange->respond(response ? *std::move(response) : a1111_error(response.error()));
        },
        {.body_limit = picture, .is_slow = true}
    );
    router.add(
        "POST",
        "/sdapi/v1/interrogate",
        [](const ExchangePtr& exchange) {
            exchange->respond(a1111_error(ApiFault(Error{
                ErrorKind::kUnsupported,
                "interrogate: there is no model that describes pictures here"})));
        },
        {.body_limit = picture, .is_slow = true}
    );
}

}  // namespace tessera::api
