#include <memory>

#include "../../contracts/kernel_table.h"
#include "../../contracts/network/resample.h"
#include "../call.h"
#include "../network/resample.h"
#include "turbo_jpeg.h"

namespace eat::addon {

// The bytes of a JPEG to an image of another size: decoded, then resampled. decoded[0] is 1 where that could be done, else 0.
Napi::Value decode_jpeg(const Napi::CallbackInfo& info) {
  return call(info, [](const Napi::Env&, Arguments& args) -> Prepared {
    Resample p = resample_of(args);
    const index_t length = args.integer("length");
    const auto* bytes = args.input<std::uint8_t>("bytes", length);
    auto* decoded = args.output<std::int32_t>("decoded", 1);
    return {[p, bytes, length, decoded](const Run& run) mutable {
              const std::unique_ptr<std::uint8_t[]> pixels(new std::uint8_t[static_cast<size_t>(p.height * p.width * p.channels)]);
              decoded[0] = decode_turbo_jpeg(bytes, length, p.height, p.width, pixels.get()) ? 1 : 0;
              p.pixels = pixels.get();
              if (decoded[0] == 1) kernels().resample(run, p);
            },
            {}};
  });
}

}  // namespace eat::addon
