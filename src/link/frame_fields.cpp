#include "link/frame_fields_internal.h"

namespace tessera {

Result<std::string> seal_frame(const google::protobuf::Message& frame) {
    const std::size_t size = frame.ByteSizeLong();
    if (size > kMaxFrameBytes) {
        return fail(
            ErrorKind::kExhausted,
            "a frame would have {} bytes, {} are allowed",
            size,
            kMaxFrameBytes
        );
    }
    return frame.SerializeAsString();
}

Status open_frame(std::string_view bytes, google::protobuf::Message& frame) {
    if (bytes.size() > kMaxFrameBytes) {
        return fail(
            ErrorKind::kCorrupt,
            "the frame has {} bytes, {} are allowed",
            bytes.size(),
            kMaxFrameBytes
        );
    }
    return parse_message(bytes, frame);
}

}  // namespace tessera
