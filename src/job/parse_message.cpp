#include "base/utf8.h"
#include "job/proto_conversion_internal.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/stubs/logging.h>
#include <google/protobuf/unknown_field_set.h>

#include <limits>
#include <string>

namespace tessera {
namespace {

namespace pb = google::protobuf;

/// The path of the first text that is not UTF-8, empty if there is none. Protocol Buffers refuse
/// such a message, but tell its field to the log alone. Recursion ends with the messages' own
/// depth.
std::string find_broken_text(std::string_view bytes, const pb::Descriptor& type) {
    pb::UnknownFieldSet fields;
    if (!fields.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
        return {};
    }
    for (int i = 0; i < fields.field_count(); ++i) {
        const pb::UnknownField& field = fields.field(i);
        const pb::FieldDescriptor* known = type.FindFieldByNumber(field.number());
        if (known == nullptr || field.type() != pb::UnknownField::TYPE_LENGTH_DELIMITED) {
            continue;
        }
        if (known->type() == pb::FieldDescriptor::TYPE_STRING) {
            if (!check_utf8(field.length_delimited())) {
                return known->name();
            }
        } else if (known->type() == pb::FieldDescriptor::TYPE_MESSAGE) {
            const auto inner = find_broken_text(field.length_delimited(), *known->message_type());
            if (!inner.empty()) {
                return known->name() + "." + inner;
            }
        }
    }
    return {};
}

}  // namespace

Status parse_message(std::string_view bytes, pb::Message& message) {
    const pb::LogSilencer silencer;
    if (bytes.size() <= std::numeric_limits<int>::max() &&
        message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
        return {};
    }
    const auto broken = find_broken_text(bytes, *message.GetDescriptor());
    if (!broken.empty()) {
        return fail(ErrorKind::kCorrupt, "{} is not UTF-8", broken);
    }
    return fail(
        ErrorKind::kCorrupt, "the bytes are no {} message", message.GetDescriptor()->full_name()
    );
}

}  // namespace tessera
