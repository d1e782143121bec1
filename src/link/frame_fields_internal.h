#pragma once

#include "base/result.h"
#include "job/field_checks.h"
#include "job/proto_conversion_internal.h"
#include "job/shape.h"
#include "link/messages.h"

#include <tessera/v1/farm.pb.h>

#include <string_view>
#include <utility>
#include <variant>
#include <vector>

/// What the messages of both directions are made of. Checks give an error that begins with the
/// field's name; `get_` functions take a part of a message over into a struct, or do the same.
namespace tessera {

/// Tasks that a worker holds, whichever way they are listed.
inline constexpr std::size_t kMaxHeld = kMaxSlots;

/// Any struct that holds `task` and `epoch`.
template <class T>
void set_claim(const T& held, v1::Claim& message) {
    message.mutable_task()->set_job(held.task.job.value);
    message.mutable_task()->set_index(held.task.index);
    message.set_epoch(held.epoch.value);
}

template <class T>
void get_claim(const v1::Claim& message, T& held) {
    held.task = {JobId{message.task().job()}, message.task().index()};
    held.epoch = {message.epoch()};
}

template <class T>
Status check_claim(const T& held) {
    auto status = check_shape(held.task);
    return status ? Status() : in_field("claim.task", std::move(status).error());
}

/// A part that job/ knows.
template <class T>
Status check_part(std::string_view field, const T& part) {
    auto status = check_shape(part);
    return status ? Status() : in_field(field, std::move(status).error());
}

template <class Message, class T>
Status get_part(std::string_view field, const Message& message, T& part) {
    auto value = from_proto(message);
    if (!value) {
        return in_field(field, std::move(value).error());
    }
    part = *std::move(value);
    return {};
}

/// A list of parts; its size is checked before anything is looked at.
template <class Messages, class T>
Status get_list(
    std::string_view field, const Messages& messages, std::size_t limit, std::vector<T>& list
) {
    TESSERA_TRY(check_size(field, static_cast<std::size_t>(messages.size()), limit));
    for (const auto& message : messages) {
        auto value = from_proto(message);
        if (!value) {
            return in_field(field, list.size(), std::move(value).error());
        }
        list.push_back(*std::move(value));
    }
    return {};
}

/// Checks the size before anything is looked at.
template <class T, class Check>
Status check_each(
    std::string_view field, const std::vector<T>& list, std::size_t limit, const Check& check
) {
    TESSERA_TRY(check_size(field, list.size(), limit));
    for (std::size_t i = 0; i < list.size(); ++i) {
        if (auto status = check(list[i]); !status) {
            return in_field(field, i, std::move(status).error());
        }
    }
    return {};
}

/// The bytes. kExhausted when there are too many.
[[nodiscard]] Result<std::string> seal_frame(const google::protobuf::Message& frame);
/// kCorrupt for what is too large, or no such message.
[[nodiscard]] Status open_frame(std::string_view bytes, google::protobuf::Message& frame);

/// The error, which begins with the name of a field, with the name of the frame's message in front.
template <class Frame>
[[nodiscard]] tl::unexpected<Error> in_message(const Frame& frame, ErrorKind kind, Error error) {
    error.kind = kind;
    const auto* field = Frame::descriptor()->FindFieldByNumber(frame.message_case());
    return in_field(field == nullptr ? "frame" : field->name(), std::move(error));
}

/// A message of either direction as the bytes of its frame; `put(value, frame)` fills and checks
/// it.
template <class Frame, class Message, class Put>
[[nodiscard]] Result<std::string> encode_in(const Message& message, const Put& put) {
    Frame frame;
    auto status = std::visit([&](const auto& value) { return put(value, frame); }, message);
    if (!status) {
        return in_message(frame, ErrorKind::kInvalidArgument, std::move(status).error());
    }
    return seal_frame(frame);
}

/// What `take(frame)` makes of a frame's bytes.
template <class Frame, class Take>
[[nodiscard]] auto decode_from(std::string_view bytes, const Take& take)
    -> decltype(take(std::declval<const Frame&>())) {
    Frame frame;
    TESSERA_TRY(open_frame(bytes, frame));
    auto message = take(frame);
    if (!message) {
        return in_message(frame, ErrorKind::kCorrupt, std::move(message).error());
    }
    return message;
}

}  // namespace tessera
