#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "imaging/metadata_blocks.h"

namespace tessera {

/// From a WebP file's chunks (Google's WebP container specification). kInvalidArgument when it is
/// not a WebP, kCorrupt when it is cut off.
[[nodiscard]] Result<MetadataBlocks> read_webp_metadata(ByteView webp);

/// A copy that holds these blocks (an empty one: none) in place of those it had. A simple file
/// becomes an extended one, which metadata needs; the pixels stay byte for byte. kCorrupt when the
/// file is damaged.
[[nodiscard]] Result<Bytes> insert_webp_metadata(ByteView webp, const MetadataBlocks& blocks);

}  // namespace tessera
