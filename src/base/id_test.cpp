#include "base/id.h"

#include <gtest/gtest.h>

#include <type_traits>
#include <unordered_set>

namespace tessera {
namespace {

static_assert(!std::is_convertible_v<JobId, WorkerId>);
static_assert(!std::is_convertible_v<std::string, JobId>);

TEST(Id, ComparesAndHashesByItsValue) {
    EXPECT_EQ(JobId{"a"}, JobId{"a"});
    EXPECT_LT(JobId{"a"}, JobId{"b"});
    const std::unordered_set<JobId> ids{JobId{"a"}, JobId{"b"}, JobId{"a"}};
    EXPECT_EQ(ids.size(), 2U);
}

}  // namespace
}  // namespace tessera
