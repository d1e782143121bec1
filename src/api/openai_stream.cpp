#include "api/openai_stream.h"

#include <utility>

namespace tessera::api {

void OpenAiStream::begin(const Submitted& submitted, std::function<void()> gone) {
    submitted_ = submitted;
    http::Response head;
    head.fields.set("Content-Type", "text/event-stream");
    head.fields.set("Cache-Control", "no-store");
    set_job_fields(submitted_, asked_.remarks, head);
    const auto stream = exchange_->stream(std::move(head));
    stream_ = std::make_shared<PacedStream>(stream);
    stream->on_gone([paced = std::weak_ptr(stream_), gone = std::move(gone)] {
        if (const auto there = paced.lock()) {
            there->drop();
        }
        gone();
    });
}

void OpenAiStream::meet(const FarmEvent& event) {
    if (event.kind == FarmEvent::Kind::kPreview) {
        show_partial(event);
    } else if (event.kind == FarmEvent::Kind::kUnitDone && event.result) {
        show_finished(event.unit, *event.result);
    }
}

void OpenAiStream::end(tl::expected<FollowedJob, Refusal> how) {
    if (!how) {
        const ApiFault fault = fault_of(std::move(how).error(), openai_names());
        if (!stream_) {
            exchange_->respond(openai_error(fault));
            return;
        }
        show_error(fault);
    } else if (how->view.state == JobState::kDone) {
        for (const auto& [unit, result] : published_pictures(how->view)) {
            show_finished(unit, *result);
        }
    } else {
        show_error(ApiFault(why_ended(how->view)));
    }
    pacer_.finish(stream_);
}

void OpenAiStream::show_partial(const FarmEvent& event) {
    int& shown = partials_[event.unit];
    const std::int64_t parts = asked_.partial_images + 1;
    const bool is_due =
        shown < asked_.partial_images && !finished_.contains(event.unit) &&
        event.progress.step * parts >= event.progress.steps * (shown + std::int64_t{1});
    if (!is_due || event.jpeg.empty()) {
        return;
    }
    const OutputSettings& output = submitted_.spec.output;
    Bytes converted;
    ByteView picture = as_bytes(event.jpeg);
    if (output.format != "jpeg") {
        auto other = parts_.catalog.convert(picture, output.format, output.quality);
        if (!other) {
            return;  // one preview less is better than one in another format than was said
        }
        converted = *std::move(other);
        picture = converted;
    }
    pacer_.send(
        stream_,
        openai_partial_event(
            {family_, event.unit}, asked_, submitted_, picture, shown, parts_.clock.wall()
        )
    );
    ++shown;
}

void OpenAiStream::show_finished(int unit, const TaskResult& result) {
    if (!finished_.insert(unit).second) {
        return;
    }
    const auto picture = parts_.store.get(result.object.sha256);
    if (!picture) {
        show_error(ApiFault(Error{ErrorKind::kInternal, picture.error().message}));
        return;
    }
    pacer_.send(
        stream_,
        openai_completed_event(
            {family_, unit}, asked_, submitted_, result, *picture, parts_.clock.wall()
        )
    );
}

void OpenAiStream::show_error(const ApiFault& fault) {
    pacer_.send(
        stream_,
        "event: error\ndata: {\"type\":\"error\",\"error\":" + openai_error_object(fault) + "}\n\n"
    );
}

}  // namespace tessera::api
