#pragma once

#include "models/layers.h"

#include <string>

namespace tessera {

/// Two convolutions, each behind group norm and activation, around a shortcut: diffusers'
/// ResnetBlock2D with "default" time scale shift.
struct ResnetBlock {
    int in_channels = 0;
    int out_channels = 0;
    int groups = 1;
    float epsilon = 1e-5F;
    Activation activation = Activation::kSilu;
    float output_scale = 1.0F;  ///< the sum is divided by this
    int time_channels = 0;      ///< width of the time embedding; 0: none is added
};

/// `activated_time` is the time embedding {batch, time_channels} after its activation, which all
/// blocks share; ignored when time_channels is 0.
Value resnet_block(
    GraphBuilder& graph,
    const Value& x,
    const Value& activated_time,
    const std::string& name,
    const ResnetBlock& block
);

}  // namespace tessera
