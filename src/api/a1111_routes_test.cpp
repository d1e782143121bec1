#include "api/asking_test.h"

namespace tessera::api {
namespace {

/// Reads an event of the bus that is published after what a test waits for.
class EventWait {
  public:
    EventWait(TestFarm& farm, FarmEvent::Kind kind)
        : subscription_(farm.bus.subscribe({}, [this, kind](const EventPtr& event) {
              const std::scoped_lock lock(mutex_);
              has_come_ = has_come_ || event->kind == kind;
              came_.notify_all();
          })) {}
    ~EventWait() { subscription_ = {}; }
    EventWait(const EventWait&) = delete;
    EventWait& operator=(const EventWait&) = delete;

    void wait() {
        std::unique_lock lock(mutex_);
        EXPECT_TRUE(came_.wait_for(lock, std::chrono::seconds(20), [&] { return has_come_; }));
    }

  private:
    std::mutex mutex_;
    std::condition_variable came_;
    bool has_come_ = false;
    EventBus::Subscription subscription_;
};

/// What `read` gives as soon as it is `wanted`: for state that follows events on another thread.
template <class Read, class Wanted>
Json eventually(const Read& read, const Wanted& wanted) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    Json value = read();
    while (!wanted(value) && std::chrono::steady_clock::now() < end) {
        std::this_thread::yield();
        value = read();
    }
    return value;
}

Json progress_of(const TestFarm& farm, const std::string& key) {
    return json_of(farm.get("/sdapi/v1/progress", key));
}

TEST(A1111Routes, Txt2imgAnswersWithPicturesParametersAndInfo) {
    TestFarm farm;
    auto worker = farm.worker();
    Asking asking(
        farm,
        call(
            farm,
            "/sdapi/v1/txt2img",
            {{"prompt", "a castle"},
             {"negative_prompt", "fog"},
             {"batch_size", 2},
             {"seed", 7},
             {"steps", 5},
             {"width", 64},
             {"height", 64}}
        )
    );
    const auto first = worker.finish(worker.take());
    const auto second = worker.finish(worker.take());
    const auto answer = asking.answer();
    ASSERT_EQ(answer.status, 200) << answer.body;
    const Json json = json_of(answer);
    ASSERT_EQ(json["images"].size(), 2U);
    EXPECT_EQ(decoded(json["images"][0]), first);
    EXPECT_EQ(decoded(json["images"][1]), second);
    EXPECT_EQ(json["parameters"]["prompt"], "a castle");
    EXPECT_EQ(json["parameters"]["n_iter"], 1);
    const Json info = Json::parse(json["info"].get<std::string>());
    for (const char* key :
         {"prompt",
          "all_prompts",
          "negative_prompt",
          "all_negative_prompts",
          "seed",
          "all_seeds",
          "subseed",
          "all_subseeds",
          "subseed_strength",
          "width",
          "height",
          "sampler_name",
          "cfg_scale",
          "steps",
          "batch_size",
          "restore_faces",
          "face_restoration_model",
          "sd_model_name",
          "sd_model_hash",
          "sd_vae_name",
          "sd_vae_hash",
          "seed_resize_from_w",
          "seed_resize_from_h",
          "denoising_strength",
          "extra_generation_params",
          "index_of_first_image",
          "infotexts",
          "styles",
          "job_timestamp",
          "clip_skip",
          "is_using_inpainting_conditioning",
          "version"}) {
        EXPECT_TRUE(info.contains(key)) << key;
    }
    EXPECT_EQ(info["all_seeds"], Json::array({7, 8}));
    EXPECT_EQ(info["sampler_name"], "Euler a");
    EXPECT_EQ(info["sd_model_name"], "demo");
    EXPECT_EQ(info["infotexts"].size(), 2U);
    EXPECT_EQ(info["job_timestamp"].get<std::string>().size(), 14U);
    EXPECT_EQ(progress_of(farm, farm.alice)["state"]["job_count"], 0);
}

TEST(A1111Routes, InfoSaysWhatWasLeftToChanceAndToStyles) {
    TestFarm farm;
    auto worker = farm.worker();
    Asking asking(
        farm,
        call(
            farm,
            "/sdapi/v1/txt2img",
            {{"prompt", "a"}, {"styles", {"bright"}}, {"send_images", false}}
        )
    );
    worker.finish(worker.take());
    const Json json = json_of(asking.answer());
    EXPECT_EQ(json["images"], Json::array());
    const Json info = Json::parse(json["info"].get<std::string>());
    EXPECT_EQ(info["all_prompts"], Json::array({"a lighthouse"}));
    EXPECT_EQ(info["styles"], Json::array({"bright"}));
    EXPECT_EQ(info["seed"], info["all_seeds"][0]);
    EXPECT_EQ(info["subseed"], 0);
}

TEST(A1111Routes, RemarksOfTheSizeAreReported) {
    TestFarm farm;
    auto worker = farm.worker();
    Asking asking(
        farm, call(farm, "/sdapi/v1/txt2img", {{"prompt", "a"}, {"width", 1024}, {"height", 768}})
    );
    worker.finish(worker.take());
    const auto answer = asking.answer();
    EXPECT_EQ(
        answer.fields.get("X-Tessera-Remarks"),
        "the picture is larger than the model was trained for"
    );
    const Json info = Json::parse(json_of(answer)["info"].get<std::string>());
    EXPECT_EQ(info["tessera_remarks"].size(), 1U);
}

TEST(A1111Routes, ProgressIsTheKeysOwn) {
    TestFarm farm;
    auto worker = farm.worker();
    const Json idle = progress_of(farm, farm.alice);
    EXPECT_EQ(idle["progress"], 0.0);
    EXPECT_EQ(idle["state"]["job_count"], 0);
    EXPECT_TRUE(idle["current_image"].is_null());
    Asking asking(farm, call(farm, "/sdapi/v1/txt2img", {{"prompt", "a"}, {"steps", 8}}));
    const auto task = worker.take();
    worker.beat(task, 4, 8, "a preview");
    const Json busy = eventually(
        [&] { return progress_of(farm, farm.alice); },
        [](const Json& json) { return json["current_image"].is_string(); }
    );
    EXPECT_EQ(decoded(busy["current_image"]), "a preview");
    EXPECT_GT(busy["progress"], 0.0);
    EXPECT_LT(busy["progress"], 1.0);
    EXPECT_EQ(busy["state"]["job_count"], 1);
    EXPECT_EQ(busy["state"]["sampling_step"], 4);
    EXPECT_EQ(busy["state"]["sampling_steps"], 8);
    const auto without = farm.get("/sdapi/v1/progress?skip_current_image=true", farm.alice);
    EXPECT_TRUE(json_of(without)["current_image"].is_null());
    const Json other = progress_of(farm, farm.bob);
    EXPECT_EQ(other["progress"], 0.0);
    EXPECT_TRUE(other["current_image"].is_null());
    worker.finish(task);
    EXPECT_EQ(asking.answer().status, 200);
    EXPECT_EQ(progress_of(farm, farm.alice)["state"]["job_count"], 0);
}

TEST(A1111Routes, InterruptEndsTheKeysOwnCallsWithWhatIsThere) {
    TestFarm farm;
    auto worker = farm.worker();
    EventWait first_done(farm, FarmEvent::Kind::kUnitDone);
    Asking asking(farm, call(farm, "/sdapi/v1/txt2img", {{"prompt", "a"}, {"n_iter", 2}}));
    const auto picture = worker.finish(worker.take());
    first_done.wait();
    const auto task = worker.take();
    EXPECT_EQ(farm.send("POST", "/sdapi/v1/interrupt", farm.bob).body, "{}");
    EXPECT_EQ(farm.queue->job(task.task.job)->state, JobState::kRunning);
    EXPECT_EQ(farm.send("POST", "/sdapi/v1/skip", farm.alice).status, 422);
    EXPECT_EQ(farm.send("POST", "/sdapi/v1/interrupt", farm.alice).body, "{}");
    EXPECT_TRUE(worker.is_told_to_stop(task));
    const auto answer = asking.answer();
    EXPECT_EQ(answer.status, 200);
    const Json json = json_of(answer);
    ASSERT_EQ(json["images"].size(), 1U);
    EXPECT_EQ(decoded(json["images"][0]), picture);
}

TEST(A1111Routes, SkipEndsACallForOnePicture) {
    TestFarm farm;
    auto worker = farm.worker();
    EXPECT_EQ(farm.send("POST", "/sdapi/v1/skip", farm.alice).body, "null");
    Asking asking(farm, call(farm, "/sdapi/v1/txt2img", {{"prompt", "a"}}));
    const auto task = worker.take();
    EXPECT_EQ(farm.send("POST", "/sdapi/v1/skip", farm.alice).body, "null");
    EXPECT_TRUE(worker.is_told_to_stop(task));
    EXPECT_EQ(json_of(asking.answer())["images"].size(), 0U);
}

TEST(A1111Routes, AClientThatLeavesCancelsItsJobAndIsForgotten) {
    TestFarm farm;
    auto worker = farm.worker();
    Asking asking(farm, call(farm, "/sdapi/v1/txt2img", {{"prompt", "a"}}));
    const auto task = worker.take();
    asking.leave();
    EXPECT_TRUE(worker.is_told_to_stop(task));
    EXPECT_EQ(farm.ended(task.task.job.value).state, JobState::kCancelled);
    const Json idle = eventually(
        [&] { return progress_of(farm, farm.alice); },
        [](const Json& json) { return json["state"]["job_count"] == 0; }
    );
    EXPECT_EQ(idle["progress"], 0.0);
}

TEST(A1111Routes, ATaskIsFollowedByItsName) {
    TestFarm farm;
    auto worker = farm.worker();
    Asking running(
        farm, call(farm, "/sdapi/v1/txt2img", {{"prompt", "a"}, {"force_task_id", "task(one)"}})
    );
    const auto task = worker.take();
    auto queued_request =
        call(farm, "/sdapi/v1/txt2img", {{"prompt", "b"}, {"force_task_id", "task(two)"}});
    Asking queued(farm, std::move(queued_request));
    const auto ask = [&](const std::string& name, const std::string& key) {
        return json_of(
            farm.post("/internal/progress", key, {{"id_task", name}, {"id_live_preview", -1}})
        );
    };
    const Json waiting = eventually(
        [&] { return ask("task(two)", farm.alice); },
        [](const Json& json) { return json["queued"] == true; }
    );
    EXPECT_EQ(waiting["active"], false);
    const auto pending = json_of(farm.get("/internal/pending-tasks", farm.alice));
    EXPECT_EQ(pending["tasks"], Json::array({"task(two)"}));
    EXPECT_EQ(pending["size"], 1);
    EXPECT_EQ(json_of(farm.get("/internal/pending-tasks", farm.bob))["size"], 0);
    worker.beat(task, 2, 4, "a preview");
    const Json active = eventually(
        [&] { return ask("task(one)", farm.alice); },
        [](const Json& json) { return json["live_preview"].is_string(); }
    );
    EXPECT_EQ(active["active"], true);
    EXPECT_GT(active["progress"], 0.0);
    EXPECT_TRUE(active["live_preview"].get<std::string>().starts_with("data:image/jpeg;base64,"));
    EXPECT_EQ(ask("task(one)", farm.bob)["active"], false);
    worker.finish(task);
    EXPECT_EQ(running.answer().status, 200);
    EXPECT_EQ(ask("task(one)", farm.alice)["completed"], true);
    EXPECT_EQ(ask("task(none)", farm.alice)["completed"], false);
    worker.finish(worker.take());
    EXPECT_EQ(queued.answer().status, 200);
}

TEST(A1111Routes, OptionsAreTheKeysOwn) {
    TestFarm farm;
    auto worker = farm.worker();
    const auto options = json_of(farm.get("/sdapi/v1/options", farm.alice));
    EXPECT_TRUE(options["sd_model_checkpoint"].get<std::string>().starts_with("demo ["));
    EXPECT_FALSE(options.contains("forge_preset"));
    Json changed = options;
    changed["samples_format"] = "jpg";
    changed["CLIP_stop_at_last_layers"] = 2;
    EXPECT_EQ(farm.post("/sdapi/v1/options", farm.alice, changed).status, 200);
    EXPECT_EQ(json_of(farm.get("/sdapi/v1/options", farm.alice)), changed);
    EXPECT_EQ(json_of(farm.get("/sdapi/v1/options", farm.bob)), options);
    const auto unknown =
        farm.post("/sdapi/v1/options", farm.alice, {{"sd_model_checkpoint", "demi"}});
    EXPECT_EQ(unknown.status, 404);
    EXPECT_NE(json_of(unknown)["detail"].get<std::string>().find("demo"), std::string::npos);
    Asking asking(farm, call(farm, "/sdapi/v1/txt2img", {{"prompt", "a"}}));
    const auto task = worker.take();
    const auto view = farm.queue->job(task.task.job).value();
    EXPECT_EQ(view.plan->spec.output.format, "jpeg");
    EXPECT_EQ(view.plan->spec.render.clip_skip, 2);
    worker.finish(task);
    EXPECT_EQ(asking.answer().status, 200);
}

TEST(A1111Routes, ListsAreWellFormed) {
    TestFarm farm;
    for (const auto& [method, pattern] : farm.routes) {
        if (method == "GET" && pattern.starts_with("/sdapi/")) {
            const auto answer = farm.get(pattern, farm.alice);
            EXPECT_EQ(answer.status, 200) << pattern;
            EXPECT_FALSE(json_of(answer).is_null());
        }
    }
    const auto models = json_of(farm.get("/sdapi/v1/sd-models", farm.alice));
    EXPECT_EQ(models[0]["model_name"], "demo");
    EXPECT_EQ(models[0]["hash"].get<std::string>().size(), 10U);
    EXPECT_EQ(json_of(farm.get("/sdapi/v1/samplers", farm.alice))[0]["name"], "Euler a");
    EXPECT_EQ(json_of(farm.get("/sdapi/v1/schedulers", farm.alice))[1]["name"], "karras");
    EXPECT_EQ(json_of(farm.get("/sdapi/v1/upscalers", farm.alice))[1]["scale"], 2);
    EXPECT_EQ(json_of(farm.get("/sdapi/v1/face-restorers", farm.alice)), Json::array());
    for (const char* name :
         {"refresh-checkpoints",
          "refresh-vae",
          "refresh-embeddings",
          "refresh-loras",
          "unload-checkpoint",
          "reload-checkpoint"}) {
        EXPECT_EQ(farm.send("POST", std::string("/sdapi/v1/") + name, farm.alice).status, 200)
            << name;
    }
}

TEST(A1111Routes, ErrorsHaveItsShape) {
    TestFarm farm;
    const struct {
        const char* path;
        const char* body;
        int status;
        const char* word;
    } cases[] = {
        {"txt2img", "{", 400, "JSON"},
        {"txt2img", R"({"steps":"many"})", 400, "steps"},
        {"txt2img", R"({"sampler_name":"Eulr"})", 400, "sampler_name"},
        {"txt2img", R"({"restore_faces":true})", 422, "restore_faces"},
        {"img2img", R"({"init_images":["%%"]})", 400, "init_images[0]"},
        {"img2img", R"({"init_images":["Zm9v"]})", 400, "init_images[0]"},
        {"img2img", R"({"init_images":["https://a/b"]})", 422, "address"},
        {"extra-single-image", "{}", 400, "image"},
        {"png-info", R"({"image":"Zm9v"})", 400, "picture"},
        {"interrogate", R"({"image":"Zm9v"})", 422, "describes"},
    };
    for (const auto& [path, body, status, word] : cases) {
        const auto answer = farm.send("POST", std::string("/sdapi/v1/") + path, farm.alice, body);
        EXPECT_EQ(answer.status, status) << path << body << answer.body;
        const Json json = json_of(answer);
        for (const char* key : {"error", "detail", "body", "errors"}) {
            EXPECT_TRUE(json.contains(key)) << path << " " << key;
        }
        EXPECT_NE(json["detail"].get<std::string>().find(word), std::string::npos)
            << json["detail"];
    }
    const auto keyless = farm.send("POST", "/sdapi/v1/txt2img", "", "{}");
    EXPECT_EQ(keyless.status, 401);
    EXPECT_TRUE(json_of(keyless).contains("detail"));
    EXPECT_EQ(farm.queue->jobs({}).value().size(), 0U);
}

TEST(A1111Routes, BasicAuthenticationIsAKey) {
    TestFarm farm;
    http::Request request;
    request.method = "GET";
    request.target = "/sdapi/v1/options";
    std::string credentials = "Basic ";
    append_base64(credentials, as_bytes("someone:" + farm.alice));
    request.fields.set("Authorization", credentials);
    EXPECT_EQ(farm.send(request).status, 200);
}

TEST(A1111Routes, Img2imgBeginsWithThePicture) {
    TestFarm farm;
    auto worker = farm.worker();
    const std::string image = fake_picture(64, 64, "image");
    const std::string mask = fake_picture(64, 64, "mask");
    std::string image_text = "data:image/png;base64,";
    append_base64(image_text, as_bytes(image));
    std::string mask_text;
    append_base64(mask_text, as_bytes(mask));
    Asking asking(
        farm,
        call(
            farm,
            "/sdapi/v1/img2img",
            {{"prompt", "a"}, {"init_images", {image_text}}, {"mask", mask_text}}
        )
    );
    const auto task = worker.take();
    const auto view = farm.queue->job(task.task.job).value();
    EXPECT_EQ(view.plan->spec.init, sha256_hex(as_bytes(image)));
    EXPECT_EQ(view.plan->spec.mask, sha256_hex(as_bytes(mask)));
    worker.finish(task);
    const auto answer = asking.answer();
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(Json::parse(json_of(answer)["info"].get<std::string>())["denoising_strength"], 0.75);
}

TEST(A1111Routes, ExtrasEnlargePicturesByJobs) {
    TestFarm farm;
    auto worker = farm.worker("worker-1", 2);
    std::string image;
    append_base64(image, as_bytes(fake_picture(64, 64, "small")));
    Asking single(
        farm, call(farm, "/sdapi/v1/extra-single-image", {{"image", image}, {"upscaler_1", "x2"}})
    );
    const auto task = worker.take();
    EXPECT_EQ(farm.queue->job(task.task.job)->plan->spec.kind, JobKind::kUpscale);
    const auto large = worker.finish(task);
    EXPECT_EQ(decoded(json_of(single.answer())["image"]), large);

    Asking batch(
        farm,
        call(
            farm,
            "/sdapi/v1/extra-batch-images",
            {{"imageList", {{{"data", image}, {"name", "a"}}, {{"data", image}, {"name", "b"}}}},
             {"upscaler_1", "x2"}}
        )
    );
    worker.finish(worker.take());
    worker.finish(worker.take());
    EXPECT_EQ(json_of(batch.answer())["images"].size(), 2U);

    const auto same = farm.post(
        "/sdapi/v1/extra-single-image", farm.alice, {{"image", image}, {"upscaler_1", "None"}}
    );
    EXPECT_EQ(decoded(json_of(same)["image"]), "png of " + fake_picture(64, 64, "small"));
}

TEST(A1111Routes, ARefusedBatchLeavesNoJobsBehind) {
    TenantLimits limits;
    limits.max_queued_tasks = 2;
    TestFarm farm({}, limits);
    std::string image;
    append_base64(image, as_bytes(fake_picture(64, 64, "small")));
    const Json each{{"data", image}};
    const auto refused = farm.post(
        "/sdapi/v1/extra-batch-images",
        farm.alice,
        {{"imageList", {each, each, each, each}}, {"upscaler_1", "x2"}}
    );
    EXPECT_EQ(refused.status, 429) << refused.body;
    const auto jobs = farm.queue->jobs({}).value();
    for (const auto& job : jobs) {
        EXPECT_EQ(farm.ended(job.id.value).state, JobState::kCancelled);
    }
}

TEST(A1111Routes, PngInfoReadsWhatAPictureSaysOfItself) {
    TestFarm farm;
    std::string image;
    append_base64(image, as_bytes(fake_picture(64, 64)));
    const auto json = json_of(farm.post("/sdapi/v1/png-info", farm.alice, {{"image", image}}));
    EXPECT_TRUE(json["info"].get<std::string>().starts_with("a lighthouse"));
    EXPECT_EQ(json["parameters"]["Prompt"], "a lighthouse");
    EXPECT_EQ(json["parameters"]["Steps"], "8");
    EXPECT_EQ(json["parameters"]["Size-1"], "64");
    EXPECT_TRUE(json["items"].contains("parameters"));
}

}  // namespace
}  // namespace tessera::api
