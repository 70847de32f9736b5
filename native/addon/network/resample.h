// The arguments that resample and what ends in it share.
#pragma once

#include "../../contracts/network/resample.h"
#include "../arguments.h"

namespace eat::addon {

// All but the pixels.
Resample resample_of(Arguments& args);

}  // namespace eat::addon
