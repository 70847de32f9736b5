// The arguments of one call of a kernel: an object of numbers, typed arrays and matrices. Every access checks; a wrong one throws a
// Napi::TypeError that names it.
//
// Inputs are read where they lie, or from copies that no JavaScript can reach: in calls off the event loop, and where JavaScript
// runs before the kernel ends. Results are always written where they stay: TypeScript hands over only arrays that nobody else can
// detach (src/kernels/call-memory.ts).
#pragma once

#include <napi.h>

#include <functional>
#include <memory>
#include <vector>

#include "../contracts/common.h"

namespace eat::addon {

class Arguments {
 public:
  Arguments(const Napi::Object& object, bool async) : object_(object), async_(async), copies_(async) {}

  // Whether the kernel runs off the event loop.
  bool async() const { return async_; }

  bool has(const char* name) const { return !object_.Get(name).IsUndefined(); }
  double number(const char* name) const;
  index_t integer(const char* name) const;
  bool flag(const char* name) const { return object_.Get(name).ToBoolean(); }
  template <class Enum>
  Enum choice(const char* name) const { return static_cast<Enum>(static_cast<int>(integer(name))); }
  Napi::Value value(const char* name) const { return object_.Get(name); }

  // {data: Float32Array, rows, cols, batch?} of the size it claims, or one that uploadMatrix of this addon made.
  MatrixView matrix(const char* name);

  // Reads every object of the list `name` in turn.
  void each(const char* name, const std::function<void(Arguments&)>& read);

  // A typed array of exactly `length` elements, to read.
  template <class T>
  const T* input(const char* name, index_t length) {
    return static_cast<const T*>(read(name, length, type_of<T>(), sizeof(T)));
  }

  // A typed array of exactly `length` elements, to write (and to read, where the kernel starts from what is in it).
  template <class T>
  T* output(const char* name, index_t length) {
    return static_cast<T*>(write(name, length, type_of<T>(), sizeof(T)));
  }

  // From here on inputs are copied: JavaScript will run before the kernel ends.
  void copy_inputs() { copies_ = true; }

  // For outputs in memory that nobody has touched yet.
  void use_huge_pages_for_outputs() const;

 private:
  struct Output {
    void* data;
    size_t bytes;
  };

  template <class T>
  static napi_typedarray_type type_of();
  void* bytes_of(const char* name, index_t length, napi_typedarray_type type);
  const void* read(const char* name, index_t length, napi_typedarray_type type, size_t size);
  void* write(const char* name, index_t length, napi_typedarray_type type, size_t size);

  Napi::Object object_;  // valid while the binding runs
  bool async_;
  bool copies_;  // of inputs
  std::vector<std::shared_ptr<void>> kept_;  // copies, and uploaded matrices that the call reads
  std::vector<Output> outputs_;
};

template <> inline napi_typedarray_type Arguments::type_of<float>() { return napi_float32_array; }
template <> inline napi_typedarray_type Arguments::type_of<double>() { return napi_float64_array; }
template <> inline napi_typedarray_type Arguments::type_of<std::int32_t>() { return napi_int32_array; }
template <> inline napi_typedarray_type Arguments::type_of<std::uint8_t>() { return napi_uint8_array; }

}  // namespace eat::addon
