#include "api.h"

#if defined(__linux__) || defined(__APPLE__)
#include <dlfcn.h>
#endif

namespace eat::tensorflow {
namespace {

#if defined(__linux__) || defined(__APPLE__)

// By the names that libtensorflow has in its own archive and in the Python package. Never loads it: RTLD_NOLOAD.
void* loaded_library() {
  for (const char* name : {"libtensorflow.so.2", "libtensorflow_cc.so.2", "libtensorflow.2.dylib", "libtensorflow_cc.2.dylib"}) {
    if (void* library = dlopen(name, RTLD_LAZY | RTLD_NOLOAD)) return library;
  }
  throw std::runtime_error("no libtensorflow is loaded in this process");
}

template <class Function>
void resolve(void* library, const char* name, Function& function) {
  void* symbol = dlsym(library, name);
  if (symbol == nullptr) throw std::runtime_error(std::string("the loaded libtensorflow has no ") + name);
  function = reinterpret_cast<Function>(symbol);
}

Api load() {
  void* library = loaded_library();
  Api api{};
#define EAT_RESOLVE(result, name, arguments) resolve(library, "TF_" #name, api.name);
  EAT_TENSORFLOW_FUNCTIONS(EAT_RESOLVE)
#undef EAT_RESOLVE
#define EAT_RESOLVE(result, name, arguments) resolve(library, "TFE_" #name, api.eager.name);
  EAT_TENSORFLOW_EAGER_FUNCTIONS(EAT_RESOLVE)
#undef EAT_RESOLVE
  return api;
}

#else

Api load() { throw std::runtime_error("custom ops need dlopen, which this system lacks"); }

#endif

}  // namespace

const Api& api() {
  static const Api loaded = load();  // a throw leaves it unset: looked for again at the next call
  return loaded;
}

}  // namespace eat::tensorflow
