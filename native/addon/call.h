// How a kernel is called from JavaScript. A binding unpacks its arguments into the contract's struct and returns a closure; here
// the closure is run at once (sync), or off the event loop on memory of its own (async), so that the caller may change,
// transfer or drop its arrays meanwhile.
#pragma once

#include <napi.h>

#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "../contracts/common.h"
#include "../cpu/buffer.h"
#ifdef EAT_DML_DEVICE_ADDON
#include "../cuda/device_matrix.h"
#endif

namespace eat::addon {

// The arguments of one call: an object of numbers, typed arrays and matrices. Every access checks; a wrong one throws a
// Napi::TypeError that names it.
class Arguments {
 public:
  Arguments(const Napi::Object& object, bool async) : object_(object), async_(async) {}

  bool has(const char* name) const { return !object_.Get(name).IsUndefined(); }
  double number(const char* name) const;
  index_t integer(const char* name) const { return static_cast<index_t>(number(name)); }
  bool flag(const char* name) const { return object_.Get(name).ToBoolean(); }
  template <class Enum>
  Enum choice(const char* name) const { return static_cast<Enum>(static_cast<int>(number(name))); }
  Napi::Value value(const char* name) const { return object_.Get(name); }

  // {data: Float32Array, rows, cols, batch?} of the size it claims; in a device's addon also {resident} of uploadMatrix.
  MatrixView matrix(const char* name);

  // Reads every object of the list `name` in turn.
  void each(const char* name, const std::function<void(Arguments&)>& read);

  // A typed array of exactly `length` elements, to read.
  template <class T>
  const T* input(const char* name, index_t length) {
    return static_cast<const T*>(borrow(name, length, type_of<T>(), sizeof(T), true, false));
  }

  // A typed array of exactly `length` elements, to write; `keep` where the kernel reads what is in it.
  template <class T>
  T* output(const char* name, index_t length, bool keep = false) {
    return static_cast<T*>(borrow(name, length, type_of<T>(), sizeof(T), keep, true));
  }

  bool async() const { return async_; }

  // Copies what an async call wrote back to the caller's arrays, on the event loop. A detached array gets nothing.
  void write_back();

 private:
  struct Copy {
    std::unique_ptr<Buffer> memory;
    size_t bytes;
    Napi::Reference<Napi::TypedArray> target;  // empty for inputs
  };

  template <class T>
  static napi_typedarray_type type_of();
  void take_copies(Arguments& fields);
  void* borrow(const char* name, index_t length, napi_typedarray_type type, size_t size, bool read, bool write);

  Napi::Object object_;  // valid while the binding runs
  bool async_;
  std::vector<Copy> copies_;
  std::vector<std::shared_ptr<void>> kept_;  // device matrices that the call reads
};

template <> inline napi_typedarray_type Arguments::type_of<float>() { return napi_float32_array; }
template <> inline napi_typedarray_type Arguments::type_of<double>() { return napi_float64_array; }
template <> inline napi_typedarray_type Arguments::type_of<std::int32_t>() { return napi_int32_array; }
template <> inline napi_typedarray_type Arguments::type_of<std::uint8_t>() { return napi_uint8_array; }

#ifdef EAT_DML_DEVICE_ADDON
using ResidentHandle = std::shared_ptr<cuda::DeviceMatrix>;  // null once released
#endif

// A C++ exception as a JavaScript error; `kind`, `argument` and `row` let TypeScript phrase it.
Napi::Error to_error(const Napi::Env& env, const std::exception_ptr& error);

using Body = std::function<void(const Run&)>;

// `settle`, where given, is called on the event loop when an async body is over, and calls its argument when the promise may
// settle: after everything that the body reported has been delivered.
struct Prepared {
  Body body;
  std::function<void(std::function<void()>)> settle;
};

// info[0]: the arguments; info[1]: true for async. Sync returns undefined; async returns {promise, cancel()}.
Napi::Value call(const Napi::CallbackInfo& info, Prepared (*prepare)(const Napi::Env&, Arguments&));

// One registered kernel; every file of this folder defines one function of this form, listed in addon.cc.
using Binding = Napi::Value (*)(const Napi::CallbackInfo&);

}  // namespace eat::addon
