#include "call.h"

#include "../cpu/thread_pool.h"

namespace eat::addon {
namespace {

[[noreturn]] void fail(const Napi::Env& env, const std::string& message) { throw Napi::TypeError::New(env, message); }

class Work : public Napi::AsyncWorker {
 public:
  Work(const Napi::Env& env, Arguments arguments, Prepared prepared, Run run)
      : Napi::AsyncWorker(env), deferred_(Napi::Promise::Deferred::New(env)), arguments_(std::move(arguments)),
        prepared_(std::move(prepared)), run_(run), cancelled_(std::make_shared<std::atomic<bool>>(false)) {
    run_.cancel = cancelled_.get();
  }

  Napi::Value handle() {
    Napi::Object out = Napi::Object::New(Env());
    out.Set("promise", deferred_.Promise());
    out.Set("cancel", Napi::Function::New(Env(), [flag = cancelled_](const Napi::CallbackInfo&) { flag->store(true); }));
    return out;
  }

  void Execute() override {
    try {
      prepared_.body(run_);
    } catch (...) {
      error_ = std::current_exception();
    }
  }

  // Deletes itself when settled, which may be later than AsyncWorker would.
  void OnWorkComplete(Napi::Env env, napi_status) override {
    const auto settle = [this, env] {
      const Napi::HandleScope scope(env);
      if (error_) {
        deferred_.Reject(to_error(env, error_).Value());
      } else {
        arguments_.write_back();
        deferred_.Resolve(env.Undefined());
      }
      Destroy();
    };
    if (prepared_.settle) prepared_.settle(settle); else settle();
  }

 private:
  Napi::Promise::Deferred deferred_;
  Arguments arguments_;
  Prepared prepared_;
  Run run_;
  std::shared_ptr<std::atomic<bool>> cancelled_;
  std::exception_ptr error_;
};

}  // namespace

Napi::Error to_error(const Napi::Env& env, const std::exception_ptr& error) {
  const auto make = [&env](const std::string& kind, const std::string& message) {
    Napi::Error e = Napi::Error::New(env, message);
    e.Value().Set("kind", kind);
    return e;
  };
  const auto located = [&make, &env](const std::string& kind, const char* argument, index_t row) {
    Napi::Error e = make(kind, argument);
    e.Value().Set("argument", argument);
    e.Value().Set("row", Napi::Number::New(env, static_cast<double>(row)));
    return e;
  };
  try {
    std::rethrow_exception(error);
  } catch (const NotFinite& e) {
    return located("notFinite", e.argument, e.row);
  } catch (const OutsideBox& e) {
    return located("outsideBox", e.argument, e.row);
  } catch (const Cancelled&) {
    return make("cancelled", "cancelled");
  } catch (const std::bad_alloc&) {
    return make("memory", "out of memory");
  } catch (const std::exception& e) {
    return make("other", e.what());
  }
}

double Arguments::number(const char* name) const {
  const Napi::Value v = object_.Get(name);
  if (!v.IsNumber()) fail(object_.Env(), std::string("Expected a number for ") + name + ".");
  return v.As<Napi::Number>().DoubleValue();
}

MatrixView Arguments::matrix(const char* name) {
  const Napi::Value v = object_.Get(name);
  if (!v.IsObject()) fail(object_.Env(), std::string("Expected a matrix for ") + name + ".");
  const Napi::Object given = v.As<Napi::Object>();
  Arguments fields(given, async_);
#ifdef EAT_DML_DEVICE_ADDON
  if (fields.has("resident")) {
    const ResidentHandle matrix = *fields.value("resident").As<Napi::External<ResidentHandle>>().Data();
    if (matrix == nullptr) fail(object_.Env(), std::string("Expected a device matrix for ") + name + " but received one that is disposed.");
    kept_.push_back(matrix);
    return matrix->view;
  }
#endif
  MatrixView m;
  m.rows = fields.integer("rows");
  m.cols = fields.integer("cols");
  m.batch = fields.has("batch") ? fields.integer("batch") : 1;
  if (m.rows < 1 || m.cols < 1 || m.batch < 1) fail(object_.Env(), std::string("Expected a non-empty matrix for ") + name + ".");
  m.data = fields.input<float>("data", m.size());
  take_copies(fields);
  return m;
}

void Arguments::each(const char* name, const std::function<void(Arguments&)>& read) {
  const Napi::Value v = object_.Get(name);
  if (!v.IsArray()) fail(object_.Env(), std::string("Expected a list for ") + name + ".");
  const Napi::Array list = v.As<Napi::Array>();
  for (std::uint32_t i = 0; i < list.Length(); i++) {
    const Napi::Value item = list.Get(i);
    if (!item.IsObject()) fail(object_.Env(), std::string("Expected objects in ") + name + ".");
    Arguments fields(item.As<Napi::Object>(), async_);
    read(fields);
    take_copies(fields);
  }
}

void Arguments::take_copies(Arguments& fields) {
  for (Copy& copy : fields.copies_) copies_.push_back(std::move(copy));
  kept_.insert(kept_.end(), fields.kept_.begin(), fields.kept_.end());
}

void* Arguments::borrow(const char* name, index_t length, napi_typedarray_type type, size_t size, bool read, bool write) {
  const Napi::Value v = object_.Get(name);
  if (!v.IsTypedArray() || v.As<Napi::TypedArray>().TypedArrayType() != type) {
    fail(object_.Env(), std::string("Expected a typed array of the right type for ") + name + ".");
  }
  const Napi::TypedArray array = v.As<Napi::TypedArray>();
  if (static_cast<index_t>(array.ElementLength()) != length) {
    fail(object_.Env(), "Expected " + std::to_string(length) + " values in " + name + " but received " +
                            std::to_string(array.ElementLength()) + ".");
  }
  void* data = nullptr;
  napi_get_typedarray_info(object_.Env(), array, nullptr, nullptr, &data, nullptr, nullptr);
  if (!async_) return data;
  Copy copy{std::make_unique<Buffer>(static_cast<size_t>(length) * size), static_cast<size_t>(length) * size, {}};
  if (read) std::memcpy(copy.memory->as<void>(), data, copy.bytes);
  if (write) copy.target = Napi::Reference<Napi::TypedArray>::New(array, 1);
  copies_.push_back(std::move(copy));
  return copies_.back().memory->as<void>();
}

void Arguments::write_back() {
  for (Copy& copy : copies_) {
    if (copy.target.IsEmpty()) continue;
    const Napi::TypedArray array = copy.target.Value();
    if (array.ByteLength() != copy.bytes) continue;
    void* data = nullptr;
    napi_get_typedarray_info(array.Env(), array, nullptr, nullptr, &data, nullptr, nullptr);
    std::memcpy(data, copy.memory->as<void>(), copy.bytes);
  }
}

Napi::Value call(const Napi::CallbackInfo& info, Prepared (*prepare)(const Napi::Env&, Arguments&)) {
  const Napi::Env env = info.Env();
  if (!info[0].IsObject()) fail(env, "Expected an object of arguments.");
  const bool async = info[1].ToBoolean();
  Arguments arguments(info[0].As<Napi::Object>(), async);
  Run run;
  run.threads = default_threads();
  run.check_finite = !arguments.has("checkFinite") || arguments.flag("checkFinite");
  Prepared prepared = prepare(env, arguments);
  if (async) {
    auto* work = new Work(env, std::move(arguments), std::move(prepared), run);
    const Napi::Value handle = work->handle();
    work->Queue();
    return handle;
  }
  try {
    prepared.body(run);
  } catch (const Napi::Error&) {
    throw;
  } catch (...) {
    throw to_error(env, std::current_exception());
  }
  return env.Undefined();
}

}  // namespace eat::addon
