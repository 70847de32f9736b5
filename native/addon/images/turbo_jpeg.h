// libjpeg-turbo's own library (libturbojpeg), where the system has it: looked for when first asked for, never linked, so that the addon
// is built and loaded without it. What is called is of the TurboJPEG API 1.4, which later ones keep.
#pragma once

#include "../../contracts/common.h"

namespace eat::addon {

bool has_turbo_jpeg();

// The pixels of a JPEG, [height, width, 3], red, green and blue. False where it is not of this size, not grey nor of three colours, or
// anything about it is unusual: a decoder that says what is wrong is then to be asked.
bool decode_turbo_jpeg(const std::uint8_t* bytes, index_t length, index_t height, index_t width, std::uint8_t* pixels);

}  // namespace eat::addon
