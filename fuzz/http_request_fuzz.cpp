// Any bytes as HTTP requests, at once and cut to pieces: both must be read alike. Then what the
// fields of a request mean: target, ranges, media types.
#include "http/conditional.h"
#include "http/media_type.h"
#include "http/request_reader.h"
#include "http/target.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>

namespace {

using tessera::http::RequestReader;

constexpr RequestReader::Limits kLimits{.header_bytes = 2048, .chunks = 32};
constexpr std::size_t kBodyLimit = 4096;

void require(bool holds) {
    if (!holds) {
        std::abort();
    }
}

struct Reading {
    RequestReader::Phase phase = RequestReader::Phase::kHead;
    tessera::http::Request request;
    std::string body;
};

Reading read(std::string_view bytes, std::size_t piece) {
    RequestReader reader(kLimits);
    reader.limit_body(kBodyLimit);
    std::string inbox;
    while (!bytes.empty()) {
        const auto count = std::min(piece, bytes.size());
        inbox += bytes.substr(0, count);
        bytes.remove_prefix(count);
        for (std::size_t used = 1; used > 0;) {
            const auto before = reader.phase();
            used = reader.feed(inbox);
            require(used <= inbox.size());
            inbox.erase(0, used);
            if (reader.phase() == before && used == 0) {
                break;
            }
        }
    }
    require(reader.body_bytes() <= kBodyLimit);
    require(reader.phase() != RequestReader::Phase::kFailed || reader.fault().status >= 400);
    return {reader.phase(), reader.request(), reader.take_body()};
}

void check_meaning(const tessera::http::Request& request) {
    static constexpr std::array<std::string_view, 2> kOffers{"application/json", "a/b"};
    const auto& fields = request.fields;
    static_cast<void>(tessera::http::preferred_type(fields.get("Accept"), kOffers));
    const auto selection = tessera::http::select_content(request, "\"e\"", 1000);
    require(selection.offset + selection.length <= 1000);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const auto whole = read(bytes, std::max<std::size_t>(size, 1));
    const auto cut = read(bytes, 1 + size % 16);
    if (whole.phase == RequestReader::Phase::kDone && cut.phase == RequestReader::Phase::kDone) {
        require(whole.body == cut.body);
        require(whole.request.target == cut.request.target);
        require(whole.request.fields.all() == cut.request.fields.all());
        check_meaning(whole.request);
    }
    // A length may be refused sooner or later, but never be read in two ways.
    require(
        (whole.phase == RequestReader::Phase::kDone) == (cut.phase == RequestReader::Phase::kDone)
    );
    if (const auto target = tessera::http::parse_target(bytes)) {
        require(
            tessera::http::percent_decode(tessera::http::percent_encode(target->path)) ==
            target->path
        );
    }
    return 0;
}
