#pragma once

#include "base/tensor.h"
#include "prompt/prompt_language.h"

#include <cstddef>
#include <span>
#include <vector>

namespace tessera {

/// What the UNet is told of a prompt, call by call.
struct Conditioning {
    /// One of the prompts that are joined by AND.
    struct Part {
        double weight = 1.0;
        /// Hidden states {1, positions, width} of each text that the prompt comes to.
        std::vector<Tensor> variants;
        /// Which of them holds when.
        std::vector<ScheduledVariant> schedule;

        /// What the network is told at its call of that index.
        [[nodiscard]] const Tensor& at(std::size_t call) const {
            return variants[schedule[piece_at(std::span(schedule), call)].variant];
        }
    };
    std::vector<Part> parts;
};

}  // namespace tessera
