#include "base/hash.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <string>
#include <vector>

namespace tessera {
namespace {

TEST(Sha256Test, KnowsTheStandardsExamples) {
    EXPECT_EQ(Sha256().hex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(
        Sha256().add(as_bytes("abc")).hex(),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
}

TEST(Sha256Test, DoesNotDependOnHowTheBytesAreCut) {
    EXPECT_TRUE(rc::check([](const std::vector<std::string>& parts) {
        std::string whole;
        Sha256 hash;
        for (const std::string& part : parts) {
            whole += part;
            hash.add(as_bytes(part));
        }
        RC_ASSERT(hash.hex() == sha256_hex(as_bytes(whole)));
    }));
}

}  // namespace
}  // namespace tessera
