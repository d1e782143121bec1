#include "storage/measured_store.h"

#include "storage/folder_store.h"
#include "storage/store_folder_test.h"

#include <gmock/gmock.h>

namespace tessera {
namespace {

using testing::HasSubstr;

TEST(MeasuredStore, TimesEachOperationByItsOutcome) {
    const TestFolder folder;
    const auto store = open_store(folder);
    Metrics metrics;
    MeasuredStore measured(*store, metrics);
    const auto kept = measured.put(as_bytes("a picture"), "text/plain");
    ASSERT_TRUE(kept);
    EXPECT_TRUE(measured.get(kept->sha256));
    EXPECT_FALSE(measured.info(std::string(64, 'a')));
    EXPECT_TRUE(measured.remove(kept->sha256));
    for (const char* series :
         {R"(operation="write",code="ok")",
          R"(operation="read",code="ok")",
          R"(operation="info",code="not found")",
          R"(operation="remove",code="ok")"}) {
        EXPECT_THAT(
            metrics.text(),
            HasSubstr(fmt::format("tessera_store_request_seconds_count{{{}}} 1\n", series))
        );
    }
}

}  // namespace
}  // namespace tessera
