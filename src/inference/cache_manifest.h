#pragma once

#include "base/result.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace tessera {

/// Which optimised network an entry of the engine cache holds.
struct EngineIdentity {
    std::string name;         ///< the network's, such as "unet"
    std::string content_key;  ///< of its graph and weights
    std::string fingerprint;  ///< Fingerprint::text() of the engine that wrote it

    bool operator==(const EngineIdentity&) const = default;

    /// The entry's folder name: 32 hex digits.
    [[nodiscard]] std::string key() const;
};

/// The small file in an entry that says what the entry is and what its other files must be. Written
/// last, so an entry without it is no entry.
struct CacheManifest {
    EngineIdentity identity;
    std::uint64_t graph_bytes = 0;
    std::string graph_checksum;  ///< FastHash of the graph file
    std::uint64_t weights_bytes = 0;

    bool operator==(const CacheManifest&) const = default;

    [[nodiscard]] std::string to_json() const;
    /// kCorrupt, naming the field, for anything that to_json() would not have written.
    [[nodiscard]] static Result<CacheManifest> parse(std::string_view json);
};

}  // namespace tessera
