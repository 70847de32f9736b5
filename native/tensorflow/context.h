// One call of an op: its inputs as views, its outputs allocated, its failure reported.
#pragma once

#include <cstring>
#include <vector>

#include "../contracts/common.h"
#include "api.h"

namespace eat::tensorflow {

// A tensor that this op holds; its memory is TensorFlow's.
class Tensor {
 public:
  explicit Tensor(TF_Tensor* tensor) : tensor_(tensor) {}
  ~Tensor() {
    if (tensor_ != nullptr) api().DeleteTensor(tensor_);
  }
  Tensor(Tensor&& other) noexcept : tensor_(other.tensor_) { other.tensor_ = nullptr; }
  Tensor(const Tensor&) = delete;
  Tensor& operator=(const Tensor&) = delete;

  template <class T>
  T* data() const { return static_cast<T*>(api().TensorData(tensor_)); }

  std::vector<std::int64_t> shape() const {
    std::vector<std::int64_t> dims(static_cast<size_t>(api().NumDims(tensor_)));
    for (size_t i = 0; i < dims.size(); i++) dims[i] = api().Dim(tensor_, static_cast<int>(i));
    return dims;
  }

  // A row per sample: [n, ...].
  MatrixView rows() const {
    MatrixView view{data<const float>(), 1, 1, 1};
    const auto dims = shape();
    if (dims.empty()) throw std::invalid_argument("expected a tensor [n, ...] but received a scalar");
    view.rows = dims[0];
    for (size_t i = 1; i < dims.size(); i++) view.cols *= dims[i];
    return view;
  }

  // [n, d] or [batch, n, d].
  MatrixView matrix() const {
    const auto dims = shape();
    if (dims.size() != 2 && dims.size() != 3) throw std::invalid_argument("expected a tensor [n, d] or [batch, n, d]");
    const size_t at = dims.size() - 2;
    return {data<const float>(), at == 1 ? dims[0] : 1, dims[at], dims[at + 1]};
  }

 private:
  TF_Tensor* tensor_;
};

class Call {
 public:
  explicit Call(TF_OpKernelContext* context) : context_(context) {}

  Tensor input(int index) const {
    TF_Tensor* tensor = nullptr;
    const Status status;
    api().GetInput(context_, index, &tensor, status);
    status.require();
    return Tensor(tensor);
  }

  // `count` doubles of input `index`, each two int32.
  template <size_t count>
  struct Doubles { double at[count]; };
  template <size_t count>
  Doubles<count> settings(int index) const {
    const Tensor tensor = input(index);
    const auto dims = tensor.shape();
    if (dims.size() != 1 || dims[0] != static_cast<std::int64_t>(2 * count)) throw std::invalid_argument("unexpected settings");
    Doubles<count> values;
    std::memcpy(values.at, tensor.data<void>(), sizeof values.at);
    return values;
  }

  Tensor output(int index, DataType type, const std::vector<std::int64_t>& shape) const {
    size_t bytes = 4;  // both types
    for (const std::int64_t dim : shape) bytes *= static_cast<size_t>(dim);
    const Status status;
    TF_Tensor* tensor = api().AllocateOutput(context_, index, type, shape.data(), static_cast<int>(shape.size()), bytes, status);
    status.require();
    return Tensor(tensor);
  }

  void fail(Code code, const std::string& message) const {
    const Status status;
    api().SetStatus(status, code, message.c_str());
    api().OpKernelContext_Failure(context_, status);
  }

 private:
  TF_OpKernelContext* context_;
};

}  // namespace eat::tensorflow
