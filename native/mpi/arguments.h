// What comes from JavaScript. What does not fit is thrown, as Napi::TypeError or Failure.
#pragma once

#include <napi.h>

#include <memory>
#include <string>

#include "operation.h"

namespace eat::mpi {

void require(const Napi::Env& env, napi_status status);

// The property of that name; 0 where there is none.
std::int64_t integer(const Napi::Object& object, const char* name);

std::string string(const Napi::Object& object, const char* name);

// Of {operation, group, values?, argument?, color?, key?}.
std::unique_ptr<Operation> operation_of(const Napi::Object& given);

// Where `into` is an array, the result is copied there, and has no buffer of its own: large ones cost the garbage collector too much.
void copy_result(const Napi::Value& into, Operation& operation);

}  // namespace eat::mpi
