#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "imaging/metadata_blocks.h"

#include <cstddef>

namespace tessera {

/// From the segments in front of the pixels. kInvalidArgument when it is not a JPEG, kCorrupt when
/// it ends before the pixels.
[[nodiscard]] Result<MetadataBlocks> read_jpeg_metadata(ByteView jpeg);

/// A copy that holds these blocks (an empty one: none) in place of those it had. Each must fit one
/// segment, about 64 KB: kExhausted when it does not.
[[nodiscard]] Result<Bytes> insert_jpeg_metadata(ByteView jpeg, const MetadataBlocks& blocks);

/// How many scans (passes over the whole picture) the file holds: a progressive JPEG with
/// thousands of them is small and takes minutes to decode.
[[nodiscard]] std::size_t count_jpeg_scans(ByteView jpeg);

}  // namespace tessera
