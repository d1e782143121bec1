#include "http/certificate.h"

#include "base/file.h"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <chrono>
#include <ctime>
#include <memory>

namespace tessera::http {
namespace {

constexpr std::uint64_t kMostBytes = 1U << 20U;

}  // namespace

Result<WallTime> certificate_expiry(const std::filesystem::path& file) {
    TESSERA_ASSIGN(const std::string text, read_file(file, kMostBytes));
    const std::unique_ptr<BIO, decltype(&BIO_free)> bytes(
        BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), BIO_free
    );
    const std::unique_ptr<X509, decltype(&X509_free)> certificate(
        PEM_read_bio_X509(bytes.get(), nullptr, nullptr, nullptr), X509_free
    );
    std::tm end{};
    if (!certificate || ASN1_TIME_to_tm(X509_get0_notAfter(certificate.get()), &end) != 1) {
        return fail(ErrorKind::kInvalidArgument, "{} holds no certificate", file.string());
    }
    return WallTime(std::chrono::seconds(::timegm(&end)));
}

}  // namespace tessera::http
