#pragma once

#include "api/a1111_answer.h"
#include "api/a1111_desk.h"
#include "api/api.h"
#include "api/job_following.h"

#include <memory>
#include <string>

namespace tessera::api {

using ExchangePtr = std::shared_ptr<http::Exchange>;

/// What A1111's routes share.
struct A1111Farm {
    explicit A1111Farm(const ApiParts& given) : parts(given), following(given, 2) {}

    const ApiParts parts;
    A1111Desk desk;
    JobFollowing following;  // last: its threads use the rest
};

/// Under what the desk keeps a caller's things.
[[nodiscard]] inline const std::string& desk_key(const http::Exchange& exchange) {
    return caller_of(exchange).key_id;
}

/// Has the client's leaving end the call.
void leave_when_gone(const ExchangePtr& exchange, const std::shared_ptr<JobFollowing::Call>& call);

// One file each; all of them /sdapi/v1 but for /internal.
using A1111FarmPtr = std::shared_ptr<A1111Farm>;
void add_a1111_picture_routes(http::Router& router, const A1111FarmPtr& farm);
void add_a1111_progress_routes(http::Router& router, const A1111FarmPtr& farm);
void add_a1111_list_routes(http::Router& router, const A1111FarmPtr& farm);
void add_a1111_option_routes(http::Router& router, const A1111FarmPtr& farm);
void add_a1111_extras_routes(http::Router& router, const A1111FarmPtr& farm);

}  // namespace tessera::api
