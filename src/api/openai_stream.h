#pragma once

#include "api/api.h"
#include "api/job_following.h"
#include "api/openai_answer.h"
#include "api/openai_request.h"
#include "api/paced_stream.h"

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string_view>

namespace tessera::api {

/// The answer to `stream: true`: partial pictures, then each picture when it is done. One call at a
/// time, as JobEars are called.
class OpenAiStream {
  public:
    OpenAiStream(
        const ApiParts& parts,
        StreamPacer& pacer,
        std::shared_ptr<http::Exchange> exchange,
        OpenAiRequest asked,
        std::string_view family
    )
        : parts_(parts),
          pacer_(pacer),
          exchange_(std::move(exchange)),
          asked_(std::move(asked)),
          family_(family) {}

    /// The head of the answer goes now; `gone` is called when the client leaves.
    void begin(const Submitted& submitted, std::function<void()> gone);
    void meet(const FarmEvent& event);
    /// A refusal before `begin` is an answer of its own.
    void end(tl::expected<FollowedJob, Refusal> how);

  private:
    void show_partial(const FarmEvent& event);
    void show_finished(int unit, const TaskResult& result);
    void show_error(const ApiFault& fault);

    const ApiParts parts_;
    StreamPacer& pacer_;
    const std::shared_ptr<http::Exchange> exchange_;
    const OpenAiRequest asked_;
    const std::string_view family_;
    Submitted submitted_;
    std::shared_ptr<PacedStream> stream_;
    std::map<int, int> partials_;  ///< shown, by unit
    std::set<int> finished_;
};

}  // namespace tessera::api
