#include "arguments.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "../cpu/engine/buffer.h"
#include "../cpu/engine/thread_pool.h"
#include "resident.h"

namespace eat::addon {
namespace {

[[noreturn]] void fail(const Napi::Env& env, const std::string& message) { throw Napi::TypeError::New(env, message); }

// A copy in memory of its own, by all threads where it is large.
std::shared_ptr<Buffer> copy_of(const void* data, size_t bytes) {
  auto copy = std::make_shared<Buffer>(bytes);
  Run run;
  run.threads = default_threads();
  copy_bytes(run, copy->as<void>(), data, bytes);
  return copy;
}

}  // namespace

double Arguments::number(const char* name) const {
  const Napi::Value v = object_.Get(name);
  if (!v.IsNumber()) fail(object_.Env(), std::string("Expected a number for ") + name + ".");
  return v.As<Napi::Number>().DoubleValue();
}

index_t Arguments::integer(const char* name) const {
  constexpr double largest = 9007199254740991;  // 2^53 - 1: beyond it doubles leave integers out
  const double value = number(name);
  if (!(value >= -largest && value <= largest && value == std::trunc(value))) {
    fail(object_.Env(), std::string("Expected an integer for ") + name + ".");
  }
  return static_cast<index_t>(value);
}

MatrixView Arguments::matrix(const char* name) {
  const Napi::Value v = object_.Get(name);
  if (!v.IsObject()) fail(object_.Env(), std::string("Expected a matrix for ") + name + ".");
  Arguments fields(v.As<Napi::Object>(), copies_);
  if (const auto uploaded = uploaded_matrix(fields.value("resident"), name)) {
    kept_.push_back(uploaded);
    return uploaded->view;
  }
  MatrixView m;
  m.rows = fields.integer("rows");
  m.cols = fields.integer("cols");
  m.batch = fields.has("batch") ? fields.integer("batch") : 1;
  if (m.rows < 1 || m.cols < 1 || m.batch < 1) fail(object_.Env(), std::string("Expected a non-empty matrix for ") + name + ".");
  m.data = fields.input<float>("data", m.size());
  kept_.insert(kept_.end(), fields.kept_.begin(), fields.kept_.end());
  return m;
}

void Arguments::each(const char* name, const std::function<void(Arguments&)>& read) {
  const Napi::Value v = object_.Get(name);
  if (!v.IsArray()) fail(object_.Env(), std::string("Expected a list for ") + name + ".");
  const Napi::Array list = v.As<Napi::Array>();
  for (std::uint32_t i = 0; i < list.Length(); i++) {
    const Napi::Value item = list.Get(i);
    if (!item.IsObject()) fail(object_.Env(), std::string("Expected objects in ") + name + ".");
    Arguments fields(item.As<Napi::Object>(), copies_);
    read(fields);
    kept_.insert(kept_.end(), fields.kept_.begin(), fields.kept_.end());
    outputs_.insert(outputs_.end(), fields.outputs_.begin(), fields.outputs_.end());
  }
}

void* Arguments::bytes_of(const char* name, index_t length, napi_typedarray_type type) {
  const Napi::Value v = object_.Get(name);
  if (!v.IsTypedArray() || v.As<Napi::TypedArray>().TypedArrayType() != type) {
    fail(object_.Env(), std::string("Expected a typed array of the right type for ") + name + ".");
  }
  const Napi::TypedArray array = v.As<Napi::TypedArray>();
  size_t held = 0;
  void* data = nullptr;
  if (napi_get_typedarray_info(object_.Env(), array, nullptr, &held, &data, nullptr, nullptr) != napi_ok) {
    throw Napi::Error::New(object_.Env());
  }
  if (static_cast<index_t>(held) != length) {
    fail(object_.Env(), "Expected " + std::to_string(length) + " values in " + name + " but received " + std::to_string(held) + ".");
  }
  return data;
}

const void* Arguments::read(const char* name, index_t length, napi_typedarray_type type, size_t size) {
  const void* data = bytes_of(name, length, type);
  if (!copies_) return data;
  const auto copy = copy_of(data, static_cast<size_t>(length) * size);
  kept_.push_back(copy);
  return copy->as<void>();
}

void* Arguments::write(const char* name, index_t length, napi_typedarray_type type, size_t size) {
  void* data = bytes_of(name, length, type);
  outputs_.push_back({data, static_cast<size_t>(length) * size});
  return data;
}

void Arguments::use_huge_pages_for_outputs() const {
  for (const Output& output : outputs_) use_huge_pages(output.data, output.bytes);
}

}  // namespace eat::addon
