// The first line as a Content-Type, the rest as its body: parts lie within the body, in order and
// apart from each other, and what is made of them again reads the same.
#include "http/multipart.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

void require(bool holds) {
    if (!holds) {
        std::abort();
    }
}

void check_parts(std::string_view body, const std::vector<tessera::http::FormPart>& parts) {
    const char* at = body.data();
    std::string again;
    for (const auto& part : parts) {
        require(part.data.data() >= at);
        at = part.data.data() + part.data.size();
        require(at <= body.data() + body.size());
        again +=
            "--0123456789abcdef0123456789abcdef\r\nContent-Disposition: form-data; "
            "name=\"a\"\r\n\r\n";
        again += part.data;
        again += "\r\n";
    }
    again += "--0123456789abcdef0123456789abcdef--";
    if (body.find("0123456789abcdef") == std::string_view::npos) {
        const auto read = tessera::http::parse_multipart(
            "multipart/form-data; boundary=0123456789abcdef0123456789abcdef", again
        );
        require(read.has_value() && read->size() == parts.size());
        for (std::size_t i = 0; i < parts.size(); ++i) {
            require(read->at(i).data == parts[i].data);
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const auto line = std::min(bytes.find('\n'), bytes.size());
    const auto body = bytes.substr(std::min(line + 1, bytes.size()));
    for (const std::string_view type :
         {bytes.substr(0, line), std::string_view("multipart/form-data; boundary=x")}) {
        if (const auto parts = tessera::http::parse_multipart(type, body)) {
            check_parts(body, *parts);
        }
    }
    return 0;
}
