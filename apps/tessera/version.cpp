#include "tessera/version.h"

namespace tessera::cli {

std::string version_text() {
    return "tessera " TESSERA_VERSION;
}

}  // namespace tessera::cli
