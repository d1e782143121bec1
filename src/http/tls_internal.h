#pragma once

#include "base/result.h"
#include "http/server.h"
#include "http/stream_internal.h"

#include <filesystem>

namespace tessera::http {

/// TLS 1.2 and later. kInvalidArgument names the file that is missing, malformed or no pair.
[[nodiscard]] Result<TlsContext> server_tls(const TlsFiles& files);

/// Believes the system's authorities and those of the file, if there is one; verifies always.
[[nodiscard]] Result<TlsContext> client_tls(const std::filesystem::path& authorities);

/// Makes the handshake fail unless the certificate is for this host, and asks for it by name.
[[nodiscard]] Status expect_host(Stream& stream, const std::string& host);

}  // namespace tessera::http
