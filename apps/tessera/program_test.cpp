// Lets the test program be what it runs to decode pictures, as the program itself is.
#include "tessera/picture_decoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

int main(int argc, char** argv) {
    tessera::cli::serve_picture_decoder_if_asked(argc, argv);
    ::testing::InitGoogleMock(&argc, argv);
    return RUN_ALL_TESTS();
}
