#pragma once

#include "base/result.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace tessera::http {

/// A server's address: "https://farm.example:7860/base".
struct Url {
    bool is_secure = false;
    std::string host;  ///< without the brackets of an IPv6 address
    std::uint16_t port = 0;
    std::string path;  ///< without a "/" at its end; empty or "/base"

    /// What the Host field says: the port only where it is not the scheme's own.
    [[nodiscard]] std::string authority() const;
};

/// http, https, ws and wss. kInvalidArgument for anything else, for names and passwords in it, and
/// for a query or fragment.
[[nodiscard]] Result<Url> parse_url(std::string_view text);

}  // namespace tessera::http
