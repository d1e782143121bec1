#include "job/task.h"

#include "job/job_test.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace tessera {
namespace {

TEST(TaskIds, ReadAsTheyAreWritten) {
    EXPECT_TRUE(rc::check([] {
        const TaskId id = testing::any_task_id();
        const auto again = parse_task_id(to_string(id));
        RC_ASSERT(again.has_value());
        RC_ASSERT(*again == id);
    }));
    EXPECT_EQ(to_string(TaskId{{"01kb"}, 3}), "01kb.3");
}

TEST(TaskIds, AreNothingElse) {
    for (const char* text :
         {"",
          ".",
          "a",
          "a.",
          ".1",
          "a.-1",
          "a.01",
          "a.1x",
          "a.b.1",
          "a/b.1",
          "a.99999999999",
          "a. 1",
          "\xC3\xA9.1"}) {
        const auto id = parse_task_id(text);
        ASSERT_FALSE(id) << text;
        EXPECT_EQ(id.error().kind, ErrorKind::kInvalidArgument);
    }
}

}  // namespace
}  // namespace tessera
