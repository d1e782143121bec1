#pragma once

#include "prompt/clip_tokenizer.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace tessera {

/// CLIP's own vocabulary, in which each of the short words of these tests is one token.
inline const ClipTokenizer& clip_for_tests() {
    static const auto tokenizer = ClipTokenizer::from_merges_file(TESSERA_CLIP_MERGES);
    if (!tokenizer) {
        ADD_FAILURE() << tokenizer.error().message << " (tools/setup.sh installs it)";
        std::abort();
    }
    return *tokenizer;
}

}  // namespace tessera
