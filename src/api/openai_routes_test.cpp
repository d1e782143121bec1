#include "api/asking_test.h"

#include <future>

namespace tessera::api {
namespace {

TEST(OpenAiRoutes, AGenerationAnswersWithItsPicture) {
    TestFarm farm;
    auto worker = farm.worker();
    for (const std::string path : {"/v1/images/generations", "/images/generations"}) {
        Asking asking(farm, call(farm, path, {{"prompt", "a castle"}, {"size", "64x64"}}));
        const auto picture = worker.finish(worker.take());
        const auto answer = asking.answer();
        ASSERT_EQ(answer.status, 200) << answer.body;
        const Json json = json_of(answer);
        ASSERT_EQ(json["data"].size(), 1U);
        EXPECT_EQ(decoded(json["data"][0]["b64_json"]), picture);
        EXPECT_EQ(json["size"], "64x64");
        EXPECT_EQ(json["output_format"], "png");
        EXPECT_EQ(json["usage"]["input_tokens"], 2);
        EXPECT_EQ(json["usage"]["output_tokens"], 16);
        EXPECT_GT(json["created"], 1'700'000'000);
        EXPECT_FALSE(answer.fields.get("X-Tessera-Job").empty());
        EXPECT_FALSE(answer.fields.has("X-Tessera-Remarks"));
    }
}

TEST(OpenAiRoutes, LinksShowPicturesWithoutAKeyAndNothingElse) {
    TestFarm farm;
    auto worker = farm.worker();
    Asking asking(
        farm,
        call(farm, "/v1/images/generations", {{"prompt", "a"}, {"n", 2}, {"model", "dall-e-3"}})
    );
    const auto first = worker.finish(worker.take());
    const auto second = worker.finish(worker.take());
    const auto answer = asking.answer();
    EXPECT_EQ(
        answer.fields.get("X-Tessera-Remarks"), "dall-e-3 is not here; demo painted instead."
    );
    const Json json = json_of(answer);
    ASSERT_EQ(json["data"].size(), 2U) << answer.body;
    const std::string link = json["data"][1]["url"];
    ASSERT_TRUE(link.starts_with(farm.url() + "/v1/images/files/")) << link;
    const std::string target = link.substr(farm.url().size());
    const auto shown = farm.get(target, "");
    EXPECT_EQ(shown.status, 200);
    EXPECT_EQ(shown.body, second);
    EXPECT_EQ(shown.fields.get("Content-Type"), "image/png");
    http::Request again;
    again.method = "GET";
    again.target = target;
    again.fields.set("Sec-Fetch-Site", "cross-site");
    EXPECT_EQ(farm.send(again).status, 200) << "in another site's page";
    again.fields.set("If-None-Match", std::string(shown.fields.get("ETag")));
    EXPECT_EQ(farm.send(again).status, 304);

    EXPECT_EQ(farm.get(target + "x", "").status, 403);
    EXPECT_EQ(farm.get("/v1/images/files/nonsense", "").status, 403);
    // A worker's token reads the same objects, but is no link.
    ObjectGrant grant;
    grant.task = "01kb.0";
    grant.expires = farm.clock.wall() + std::chrono::hours(1);
    grant.reads = {sha256_hex(as_bytes(second))};
    const auto token = object_tokens(std::string(32, 's'))->issue(grant).value();
    EXPECT_EQ(farm.get("/v1/images/files/" + token, "").status, 403);
}

TEST(OpenAiRoutes, ErrorsHaveOpenAisShape) {
    TestFarm farm;
    const struct {
        Json body;
        int status;
        Json param;
        const char* code;
    } cases[] = {
        {Json::object(), 400, "prompt", "missing_required_parameter"},
        {{{"prompt", "a"}, {"n", 99}}, 400, "n", "invalid_value"},
        {{{"prompt", "a"}, {"model", "nothing"}}, 400, "model", "invalid_value"},
        {{{"prompt", "a"}, {"sampler", "Eulr"}}, 400, "sampler", "invalid_value"},
        {{{"prompt", "a"}, {"background", "transparent"}}, 400, "background", "unsupported_value"},
        {Json::array(), 400, nullptr, "invalid_value"},
    };
    for (const auto& [body, status, param, code] : cases) {
        const auto answer = farm.post("/v1/images/generations", farm.alice, body);
        EXPECT_EQ(answer.status, status) << body;
        const Json error = json_of(answer)["error"];
        EXPECT_EQ(error["param"], param) << body;
        EXPECT_EQ(error["code"], code) << body;
        EXPECT_EQ(error["type"], "invalid_request_error") << body;
        EXPECT_FALSE(error["message"].get<std::string>().empty());
        EXPECT_EQ(error["message"].get<std::string>().find("--"), std::string::npos);
    }
    const auto keyless = farm.send("POST", "/v1/images/generations", "", "{}");
    EXPECT_EQ(keyless.status, 401);
    EXPECT_EQ(json_of(keyless)["error"]["code"], "invalid_api_key");
    EXPECT_EQ(farm.queue->jobs({}).value().size(), 0U);
}

TEST(OpenAiRoutes, AFullQueueSaysWhenToComeAgain) {
    TenantLimits limits;
    limits.max_queued_tasks = 1;
    TestFarm farm({}, limits);
    auto worker = farm.worker();
    const Json body{{"prompt", "a"}};
    Asking asking(farm, call(farm, "/v1/images/generations", body));
    const auto task = worker.take();
    const auto refused = farm.post("/v1/images/generations", farm.alice, body);
    EXPECT_EQ(refused.status, 429);
    EXPECT_EQ(json_of(refused)["error"]["code"], "rate_limit_exceeded");
    EXPECT_FALSE(refused.fields.has("X-Should-Retry"));
    const auto pause = std::stoi(std::string(refused.fields.get("Retry-After")));
    EXPECT_GE(pause, 1);
    EXPECT_LE(pause, 120);
    worker.finish(task);
    EXPECT_EQ(asking.answer().status, 200);
}

TEST(OpenAiRoutes, AFailedJobSaysWhy) {
    TestFarm farm;
    auto worker = farm.worker();
    Asking asking(farm, call(farm, "/v1/images/generations", {{"prompt", "a"}}));
    worker.fail_task(worker.take(), "out of paint");
    const auto answer = asking.answer();
    EXPECT_EQ(answer.status, 500);
    EXPECT_EQ(answer.fields.get("X-Should-Retry"), "false") << "or it would be painted again";
    const Json error = json_of(answer)["error"];
    EXPECT_EQ(error["type"], "server_error");
    EXPECT_NE(error["message"].get<std::string>().find("out of paint"), std::string::npos);
}

TEST(OpenAiRoutes, AClientThatLeavesCancelsItsJob) {
    TestFarm farm;
    auto worker = farm.worker();
    Asking asking(farm, call(farm, "/v1/images/generations", {{"prompt", "a"}}));
    const auto task = worker.take();
    asking.leave();
    EXPECT_TRUE(worker.is_told_to_stop(task));
    EXPECT_EQ(farm.ended(task.task.job.value).state, JobState::kCancelled);
}

TEST(OpenAiRoutes, AStreamsClientThatLeavesCancelsItsJob) {
    TestFarm farm;
    auto worker = farm.worker();
    Asking asking(farm, call(farm, "/v1/images/generations", {{"prompt", "a"}, {"stream", true}}));
    const auto task = worker.take();
    asking.leave();
    EXPECT_TRUE(worker.is_told_to_stop(task));
    EXPECT_EQ(farm.ended(task.task.job.value).state, JobState::kCancelled);
}

TEST(OpenAiRoutes, ADetachedJobGoesOnWithoutItsClient) {
    TestFarm farm;
    auto worker = farm.worker();
    auto request = call(farm, "/v1/images/generations", {{"prompt", "a"}});
    request.fields.set("X-Tessera-Detach", "1");
    Asking asking(farm, std::move(request));
    const auto task = worker.take();
    asking.leave();
    EXPECT_EQ(asking.answer().status, 0);
    worker.finish(task);
    EXPECT_EQ(farm.ended(task.task.job.value).state, JobState::kDone);
}

TEST(OpenAiRoutes, ARepeatedCallGetsTheSameJobsPicture) {
    TestFarm farm;
    auto worker = farm.worker();
    auto request = call(farm, "/v1/images/generations", {{"prompt", "a"}});
    request.fields.set("Idempotency-Key", "mine");
    Asking first(farm, request);
    const auto task = worker.take();
    Asking second(farm, request);
    second.leave();
    worker.finish(task);
    const auto answer = first.answer();
    EXPECT_EQ(answer.status, 200);
    const auto later = farm.send(request);
    EXPECT_EQ(
        later.body.substr(later.body.find("data")), answer.body.substr(answer.body.find("data"))
    );
    EXPECT_EQ(later.fields.get("X-Tessera-Job"), answer.fields.get("X-Tessera-Job"));
    request.body = R"({"prompt":"b"})";
    const auto other = farm.send(request);
    EXPECT_EQ(other.status, 409);
    EXPECT_EQ(json_of(other)["error"]["type"], "invalid_request_error");
}

/// Reads server-sent events as they come.
class Listening {
  public:
    Listening(const TestFarm& farm, http::Request request)
        : done_(std::async(std::launch::async, [this, &farm, request] {
              auto head = farm.client().stream(request, [this](std::string_view part) {
                  const std::scoped_lock lock(mutex_);
                  text_ += part;
                  came_.notify_all();
                  return true;
              });
              const std::scoped_lock lock(mutex_);
              has_ended_ = true;
              came_.notify_all();
              return head.value_or(http::Response{0, {}, {}});
          })) {}

    /// The events so far, once there are that many or the stream has ended.
    std::vector<std::pair<std::string, Json>> events(std::size_t least) {
        std::unique_lock lock(mutex_);
        std::vector<std::pair<std::string, Json>> all;
        came_.wait_for(lock, std::chrono::seconds(20), [&] {
            all = parsed();
            return has_ended_ || all.size() >= least;
        });
        return all;
    }
    http::Response head() { return done_.get(); }

  private:
    std::vector<std::pair<std::string, Json>> parsed() const {
        std::vector<std::pair<std::string, Json>> all;
        for (std::size_t at = 0; at < text_.size();) {
            const auto end = text_.find("\n\n", at);
            if (end == std::string::npos) {
                break;
            }
            const auto event = text_.substr(at, end - at);
            const auto line = event.find("\ndata: ");
            if (event.starts_with("event: ") && line != std::string::npos) {
                all.emplace_back(event.substr(7, line - 7), Json::parse(event.substr(line + 7)));
            }
            at = end + 2;
        }
        return all;
    }

    std::mutex mutex_;
    std::condition_variable came_;
    std::string text_;
    bool has_ended_ = false;
    std::future<http::Response> done_;
};

TEST(OpenAiRoutes, AStreamShowsPartialPicturesAndThenTheWhole) {
    TestFarm farm;
    auto worker = farm.worker();
    Listening listening(
        farm,
        call(
            farm,
            "/v1/images/generations",
            {{"prompt", "a"}, {"stream", true}, {"partial_images", 1}, {"output_format", "jpeg"}}
        )
    );
    const auto task = worker.take();
    worker.beat(task, 4, 8, "a preview");
    const auto partial = listening.events(1);
    ASSERT_EQ(partial.size(), 1U);
    EXPECT_EQ(partial[0].first, "image_generation.partial_image");
    EXPECT_EQ(partial[0].second["type"], "image_generation.partial_image");
    EXPECT_EQ(partial[0].second["partial_image_index"], 0);
    EXPECT_EQ(decoded(partial[0].second["b64_json"]), "a preview");
    EXPECT_EQ(partial[0].second["output_format"], "jpeg");
    // Larger than all that may wait for a reader.
    const auto picture = worker.finish(task, fake_picture(64, 64, std::string(300'000, 'x')));
    const auto head = listening.head();
    EXPECT_EQ(head.status, 200);
    EXPECT_EQ(head.fields.get("Content-Type"), "text/event-stream");
    const auto all = listening.events(2);
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all[1].first, "image_generation.completed");
    EXPECT_EQ(decoded(all[1].second["b64_json"]), picture);
    EXPECT_EQ(all[1].second["size"], "64x64");
    EXPECT_GT(all[1].second["usage"]["total_tokens"], 0);
}

TEST(OpenAiRoutes, AStreamsFailureIsAnErrorEvent) {
    TestFarm farm;
    auto worker = farm.worker();
    Listening listening(
        farm,
        form_call(
            farm,
            "/v1/images/edits",
            {{"image", fake_picture(64, 64)}, {"prompt", "a"}, {"stream", "true"}}
        )
    );
    worker.fail_task(worker.take(), "out of paint");
    EXPECT_EQ(listening.head().status, 200);
    const auto events = listening.events(1);
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(events[0].first, "error");
    EXPECT_NE(events[0].second["error"]["message"].dump().find("out of paint"), std::string::npos);
    const auto refused = farm.post(
        "/v1/images/generations", farm.alice, {{"prompt", "a"}, {"stream", true}, {"size", "x"}}
    );
    EXPECT_EQ(refused.status, 400);
}

TEST(OpenAiRoutes, AnEditPaintsWhereTheMaskIsTransparent) {
    TestFarm farm;
    auto worker = farm.worker();
    const std::string image = fake_picture(64, 64, "image");
    std::string mask = "PNGA:64x64:mask";
    Asking asking(
        farm,
        form_call(farm, "/v1/images/edits", {{"image", image}, {"mask", mask}, {"prompt", "a"}})
    );
    const auto task = worker.take();
    const auto view = farm.queue->job(task.task.job).value();
    EXPECT_EQ(view.plan->spec.init, sha256_hex(as_bytes(image)));
    EXPECT_EQ(view.plan->spec.mask, sha256_hex(as_bytes(fake_picture(64, 64, "mask"))));
    EXPECT_EQ(view.plan->spec.render.strength, 1.0);
    const auto picture = worker.finish(task);
    const auto json = json_of(asking.answer());
    EXPECT_EQ(decoded(json["data"][0]["b64_json"]), picture);
}

TEST(OpenAiRoutes, AVariationBeginsWithThePicture) {
    TestFarm farm;
    auto worker = farm.worker();
    const std::string image = fake_picture(64, 64, "image");
    Asking asking(farm, form_call(farm, "/v1/images/variations", {{"image", image}, {"n", "1"}}));
    const auto task = worker.take();
    const auto view = farm.queue->job(task.task.job).value();
    EXPECT_EQ(view.plan->spec.init, sha256_hex(as_bytes(image)));
    EXPECT_TRUE(view.plan->spec.mask.empty());
    worker.finish(task);
    EXPECT_EQ(asking.answer().status, 200);
}

TEST(OpenAiRoutes, BadPicturesAreToldByTheirField) {
    TestFarm farm;
    const auto fault = [&](std::initializer_list<std::pair<std::string, std::string>> parts) {
        const auto answer = farm.send(form_call(farm, "/v1/images/edits", parts));
        EXPECT_EQ(answer.status, 400) << answer.body;
        return json_of(answer)["error"]["param"];
    };
    const std::string image = fake_picture(64, 64);
    EXPECT_EQ(fault({{"image", "no picture"}, {"prompt", "a"}}), "image");
    EXPECT_EQ(fault({{"image", image}, {"mask", "no picture"}, {"prompt", "a"}}), "mask");
    EXPECT_EQ(fault({{"image", image}, {"mask", image}, {"prompt", "a"}}), "mask");
    EXPECT_EQ(fault({{"image", image}, {"mask", "PNGA:32x32:"}, {"prompt", "a"}}), "mask");
    auto cut = form_call(farm, "/v1/images/edits", {{"image", image}, {"prompt", "a"}});
    cut.body.resize(cut.body.size() / 2);
    EXPECT_EQ(farm.send(cut).status, 400);
    EXPECT_EQ(farm.queue->jobs({}).value().size(), 0U);
}

TEST(OpenAiRoutes, ModelsAreListedAndShown) {
    TestFarm farm;
    const auto list = json_of(farm.get("/v1/models", farm.alice));
    EXPECT_EQ(list["object"], "list");
    ASSERT_EQ(list["data"].size(), 1U);
    EXPECT_EQ(list["data"][0]["id"], "demo");
    EXPECT_EQ(json_of(farm.get("/models/demo", farm.alice))["object"], "model");
    const auto none = farm.get("/v1/models/nothing", farm.alice);
    EXPECT_EQ(none.status, 404);
    EXPECT_EQ(json_of(none)["error"]["code"], "model_not_found");
}

TEST(OpenAiRoutes, TheServerCanGoWhileCallsWait) {
    auto farm = std::make_unique<TestFarm>();
    auto worker = std::make_unique<FakeWorker>(*farm->dispatcher, *farm->store, "w", 1);
    Asking asking(*farm, call(*farm, "/v1/images/generations", {{"prompt", "a"}}));
    static_cast<void>(worker->take());
    worker.reset();
    farm.reset();
    EXPECT_EQ(asking.answer().status, 0);
}

}  // namespace
}  // namespace tessera::api
