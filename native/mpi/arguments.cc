#include "arguments.h"

#include <cstring>

namespace eat::mpi {

void require(const Napi::Env& env, napi_status status) {
  if (status != napi_ok) throw Napi::Error::New(env);
}

std::int64_t integer(const Napi::Object& object, const char* name) {
  const Napi::Value value = object.Get(name);
  if (value.IsUndefined()) return 0;
  if (!value.IsNumber()) throw Napi::TypeError::New(object.Env(), std::string("Expected a number for ") + name + ".");
  return value.As<Napi::Number>().Int64Value();
}

std::string string(const Napi::Object& object, const char* name) {
  const Napi::Value value = object.Get(name);
  if (!value.IsString()) throw Napi::TypeError::New(object.Env(), std::string("Expected a string for ") + name + ".");
  return value.As<Napi::String>().Utf8Value();
}

namespace {

Kind kind_of(const Napi::Object& object) {
  const std::string name = string(object, "operation");
  for (const Kind kind : {Kind::all_reduce, Kind::all_gather, Kind::broadcast, Kind::barrier, Kind::split, Kind::finalize}) {
    const std::string known = describe(kind, Type::none, 0, 0);
    if (known.substr(0, known.find(' ')) == name) return kind;
  }
  throw Napi::TypeError::New(object.Env(), "Expected a known operation but received " + name + ".");
}

Type type_of(const Napi::TypedArray& values) {
  switch (values.TypedArrayType()) {
    case napi_uint8_array: return Type::uint8;
    case napi_int32_array: return Type::int32;
    case napi_float32_array: return Type::float32;
    case napi_float64_array: return Type::float64;
    default: throw Napi::TypeError::New(values.Env(), "Expected a Float32Array, Float64Array, Int32Array or Uint8Array.");
  }
}

struct Array {
  Type type;
  size_t length;
  void* data;
};

Array array_of(const Napi::Value& value) {
  const Napi::TypedArray array = value.As<Napi::TypedArray>();
  Array found{type_of(array), 0, nullptr};
  require(value.Env(), napi_get_typedarray_info(value.Env(), array, nullptr, &found.length, &found.data, nullptr, nullptr));
  return found;
}

void take_values(const Napi::Object& object, Operation& o) {
  const Napi::Value value = object.Get("values");
  if (!value.IsTypedArray()) throw Napi::TypeError::New(object.Env(), "Expected a typed array for values.");
  const Array values = array_of(value);
  o.type = values.type;
  o.count = static_cast<std::int64_t>(values.length);
  if (o.count > INT32_MAX) throw Failure("limit", "Expected at most 2147483647 values but received " + std::to_string(o.count) + ".");
  o.values = Memory(o.count * size_of(o.type));
  if (o.count > 0) std::memcpy(o.values.data(), values.data, static_cast<size_t>(o.count * size_of(o.type)));
}

}  // namespace

std::unique_ptr<Operation> operation_of(const Napi::Object& given) {
  auto o = std::make_unique<Operation>();
  o->kind = kind_of(given);
  o->group = integer(given, "group");
  o->argument = integer(given, "argument");
  o->color = integer(given, "color");
  o->key = integer(given, "key");
  if (o->kind == Kind::all_reduce || o->kind == Kind::all_gather || o->kind == Kind::broadcast) take_values(given, *o);
  return o;
}

void copy_result(const Napi::Value& into, Operation& o) {
  if (!into.IsTypedArray()) return;
  const Array to = array_of(into);
  const std::string expected = std::to_string(o.count) + " values";
  if (to.type != o.type) throw Failure("into", "Expected into of the type of the result, " + expected + ", but received another.");
  if (static_cast<std::int64_t>(to.length) != o.count) {
    throw Failure("into", "Expected into of " + expected + ", as the result has, but received " + std::to_string(to.length) + ".");
  }
  if (o.count > 0) std::memcpy(to.data, o.values.data(), static_cast<size_t>(o.count * size_of(o.type)));
  o.values = Memory();
  o.type = Type::none;
}

}  // namespace eat::mpi
