#include "http/tls_internal.h"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>

#include <array>
#include <string_view>

namespace tessera::http {
namespace {

using asio::ssl::context;

TlsContext new_context(context::method method) {
    auto made = std::make_shared<context>(method);
    ErrorCode ignored;
    made->set_options(
        context::default_workarounds | context::no_sslv2 | context::no_sslv3 |
            context::no_compression,
        ignored
    );
    ::SSL_CTX_set_min_proto_version(made->native_handle(), TLS1_2_VERSION);
    // An idle connection gives its two 16 KiB buffers back.
    ::SSL_CTX_set_mode(made->native_handle(), SSL_MODE_RELEASE_BUFFERS);
    return made;
}

/// Answers what HTTP a client may speak with the one that is spoken here.
int choose_protocol(
    SSL* /*connection*/,
    const unsigned char** chosen,
    unsigned char* chosen_size,
    const unsigned char* offered,
    unsigned offered_size,
    void* /*unused*/
) {
    static constexpr std::array<unsigned char, 9> kHttp11{
        8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
    unsigned char* found = nullptr;
    const int outcome = ::SSL_select_next_proto(
        &found, chosen_size, kHttp11.data(), kHttp11.size(), offered, offered_size
    );
    *chosen = found;
    return outcome == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

}  // namespace

Result<TlsContext> server_tls(const TlsFiles& files) {
    auto made = new_context(context::tls_server);
    ErrorCode error;
    made->use_certificate_chain_file(files.certificate.string(), error);
    if (error) {
        return fail(
            ErrorKind::kInvalidArgument,
            "the certificate {} cannot be used: {}",
            files.certificate.string(),
            error.message()
        );
    }
    made->use_private_key_file(files.key.string(), context::pem, error);
    if (error) {
        return fail(
            ErrorKind::kInvalidArgument,
            "the key {} cannot be used with the certificate: {}",
            files.key.string(),
            error.message()
        );
    }
    ::SSL_CTX_set_alpn_select_cb(made->native_handle(), choose_protocol, nullptr);
    return made;
}

Result<TlsContext> client_tls(const std::filesystem::path& authorities) {
    auto made = new_context(context::tls_client);
    ErrorCode error;
    made->set_default_verify_paths(error);
    if (!authorities.empty()) {
        made->load_verify_file(authorities.string(), error);
        if (error) {
            return fail(
                ErrorKind::kInvalidArgument,
                "the authorities {} cannot be used: {}",
                authorities.string(),
                error.message()
            );
        }
    }
    made->set_verify_mode(asio::ssl::verify_peer, error);
    if (error) {
        return fail(ErrorKind::kInternal, "certificates cannot be verified: {}", error.message());
    }
    return made;
}

Status expect_host(Stream& stream, const std::string& host) {
    ErrorCode error;
    stream.tls()->set_verify_callback(asio::ssl::host_name_verification(host), error);
    if (error) {
        return fail(ErrorKind::kInternal, "host names cannot be verified: {}", error.message());
    }
    ErrorCode is_name;
    asio::ip::make_address(host, is_name);
    std::string name = host;
    // What the macro SSL_set_tlsext_host_name does, without its cast.
    if (is_name && ::SSL_ctrl(
                       stream.tls()->native_handle(),
                       SSL_CTRL_SET_TLSEXT_HOSTNAME,
                       TLSEXT_NAMETYPE_host_name,
                       name.data()
                   ) != 1) {
        return fail(ErrorKind::kInvalidArgument, "{} is not a host name", host);
    }
    return {};
}

}  // namespace tessera::http
