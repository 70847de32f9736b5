#include "turbo_jpeg.h"

#include <initializer_list>
#include <memory>

#ifndef _WIN32
#include <dlfcn.h>
#endif

namespace eat::addon {
namespace {

// tjDecompress2's numbers, as turbojpeg.h has them.
constexpr int kRgb = 0, kStopOnWarning = 8192, kLimitScans = 32768;
constexpr int kGreyspace = 2;  // after RGB and YCbCr; CMYK and YCCK follow

struct Library {
  void* (*open)() = nullptr;
  int (*close)(void*) = nullptr;
  int (*header)(void*, const unsigned char*, unsigned long, int* width, int* height, int* subsampling, int* colours) = nullptr;
  int (*decode)(void*, const unsigned char*, unsigned long, unsigned char*, int width, int pitch, int height, int format, int flags) =
      nullptr;

  bool complete() const { return open && close && header && decode; }
};

#ifdef _WIN32
Library load() { return {}; }
#else
template <class Function>
void find(void* library, const char* name, Function*& function) {
  function = reinterpret_cast<Function*>(dlsym(library, name));
}

Library load() {
  Library found;
  for (const char* name : {"libturbojpeg.so.0", "libturbojpeg.dylib", "libturbojpeg.0.dylib"}) {
    void* library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) continue;
    find(library, "tjInitDecompress", found.open);
    find(library, "tjDestroy", found.close);
    find(library, "tjDecompressHeader3", found.header);
    find(library, "tjDecompress2", found.decode);
    break;
  }
  return found;
}
#endif

const Library& library() {
  static const Library loaded = load();
  return loaded;
}

}  // namespace

bool has_turbo_jpeg() { return library().complete(); }

bool decode_turbo_jpeg(const std::uint8_t* bytes, index_t length, index_t height, index_t width, std::uint8_t* pixels) {
  const Library& jpeg = library();
  if (!jpeg.complete()) return false;
  const std::unique_ptr<void, int (*)(void*)> decoder(jpeg.open(), jpeg.close);
  if (!decoder) return false;
  const auto size = static_cast<unsigned long>(length);
  int w = 0, h = 0, subsampling = 0, colours = 0;
  if (jpeg.header(decoder.get(), bytes, size, &w, &h, &subsampling, &colours) != 0) return false;
  if (w != width || h != height || colours < 0 || colours > kGreyspace) return false;
  return jpeg.decode(decoder.get(), bytes, size, pixels, w, 0, h, kRgb, kStopOnWarning | kLimitScans) == 0;
}

}  // namespace eat::addon
