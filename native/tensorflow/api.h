// The part of TensorFlow's stable C API that is used here, found at run time in the libtensorflow that this process has already
// loaded. Declared here, so that building needs no header of TensorFlow and the addon runs where there is none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>

namespace eat::tensorflow {

struct TF_Status;
struct TF_Tensor;
struct TF_KernelBuilder;
struct TF_OpDefinitionBuilder;
struct TF_OpKernelConstruction;
struct TF_OpKernelContext;
struct TF_ShapeInferenceContext;
struct TF_ShapeHandle;
struct TF_DeviceList;
struct TFE_Context;
struct TFE_ContextOptions;

// Values of the enums TF_Code and TF_DataType.
enum Code : int { kOk = 0, kInvalidArgument = 3, kInternal = 13 };
enum DataType : int { kFloat = 1, kInt32 = 3 };

// result, name without TF_, arguments
#define EAT_TENSORFLOW_FUNCTIONS(X)                                                                                          \
  X(const char*, Version, ())                                                                                                \
  X(TF_Status*, NewStatus, ())                                                                                               \
  X(void, DeleteStatus, (TF_Status*))                                                                                        \
  X(void, SetStatus, (TF_Status*, int code, const char* message))                                                            \
  X(int, GetCode, (const TF_Status*))                                                                                        \
  X(const char*, Message, (const TF_Status*))                                                                                \
  X(void*, TensorData, (const TF_Tensor*))                                                                                   \
  X(int, NumDims, (const TF_Tensor*))                                                                                        \
  X(std::int64_t, Dim, (const TF_Tensor*, int))                                                                              \
  X(void, DeleteTensor, (TF_Tensor*))                                                                                        \
  X(TF_OpDefinitionBuilder*, NewOpDefinitionBuilder, (const char* name))                                                     \
  X(void, OpDefinitionBuilderAddInput, (TF_OpDefinitionBuilder*, const char* spec))                                          \
  X(void, OpDefinitionBuilderAddOutput, (TF_OpDefinitionBuilder*, const char* spec))                                         \
  X(void, OpDefinitionBuilderSetShapeInferenceFunction,                                                                      \
    (TF_OpDefinitionBuilder*, void (*)(TF_ShapeInferenceContext*, TF_Status*)))                                              \
  X(void, RegisterOpDefinition, (TF_OpDefinitionBuilder*, TF_Status*))                                                       \
  X(TF_ShapeHandle*, NewShapeHandle, ())                                                                                     \
  X(void, DeleteShapeHandle, (TF_ShapeHandle*))                                                                              \
  X(void, ShapeInferenceContextGetInput, (TF_ShapeInferenceContext*, int, TF_ShapeHandle*, TF_Status*))                      \
  X(void, ShapeInferenceContextSetOutput, (TF_ShapeInferenceContext*, int, TF_ShapeHandle*, TF_Status*))                     \
  X(void, ShapeInferenceContextSetUnknownShape, (TF_ShapeInferenceContext*, TF_Status*))                                     \
  X(TF_KernelBuilder*, NewKernelBuilder,                                                                                     \
    (const char* op, const char* device, void* (*)(TF_OpKernelConstruction*), void (*)(void*, TF_OpKernelContext*),          \
     void (*)(void*)))                                                                                                       \
  X(void, KernelBuilder_HostMemory, (TF_KernelBuilder*, const char* argument))                                               \
  X(void, KernelBuilder_Priority, (TF_KernelBuilder*, std::int32_t))                                                         \
  X(void, RegisterKernelBuilder, (const char* name, TF_KernelBuilder*, TF_Status*))                                          \
  X(void, GetInput, (TF_OpKernelContext*, int, TF_Tensor**, TF_Status*))                                                     \
  X(TF_Tensor*, AllocateOutput,                                                                                              \
    (TF_OpKernelContext*, int, int type, const std::int64_t* dims, int num_dims, std::size_t bytes, TF_Status*))             \
  X(void, OpKernelContext_Failure, (TF_OpKernelContext*, TF_Status*))                                                        \
  X(int, DeviceListCount, (const TF_DeviceList*))                                                                            \
  X(const char*, DeviceListName, (const TF_DeviceList*, int, TF_Status*))                                                    \
  X(const char*, DeviceListType, (const TF_DeviceList*, int, TF_Status*))                                                    \
  X(void, DeleteDeviceList, (TF_DeviceList*))

// The eager API, whose names begin with TFE_.
#define EAT_TENSORFLOW_EAGER_FUNCTIONS(X)                                                                                    \
  X(TFE_ContextOptions*, NewContextOptions, ())                                                                              \
  X(void, DeleteContextOptions, (TFE_ContextOptions*))                                                                       \
  X(TFE_Context*, NewContext, (const TFE_ContextOptions*, TF_Status*))                                                       \
  X(void, DeleteContext, (TFE_Context*))                                                                                     \
  X(TF_DeviceList*, ContextListDevices, (TFE_Context*, TF_Status*))

struct Api {
#define EAT_DECLARE(result, name, arguments) result(*name) arguments;
  EAT_TENSORFLOW_FUNCTIONS(EAT_DECLARE)
  struct {
    EAT_TENSORFLOW_EAGER_FUNCTIONS(EAT_DECLARE)
  } eager;
#undef EAT_DECLARE
};

// The functions of the loaded libtensorflow. Throws std::runtime_error where none is loaded, or it lacks one of them.
const Api& api();

class Status {
 public:
  Status() : status_(api().NewStatus()) {}
  ~Status() { api().DeleteStatus(status_); }
  Status(const Status&) = delete;
  Status& operator=(const Status&) = delete;

  operator TF_Status*() const { return status_; }
  void require() const {
    if (api().GetCode(status_) != kOk) throw std::runtime_error(api().Message(status_));
  }

 private:
  TF_Status* status_;
};

}  // namespace eat::tensorflow
