#pragma once

#include "base/bytes.h"

namespace tessera {

/// EXIF and XMP blocks of a picture file, without what introduces them there; views into the file
/// that was read, empty where there is none.
struct MetadataBlocks {
    ByteView exif;  ///< a TIFF structure
    ByteView xmp;   ///< an XML packet
};

}  // namespace tessera
