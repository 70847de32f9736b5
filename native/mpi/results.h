// What goes back to JavaScript. Every status is looked at or left alone, and nothing throws: the environment may be going away.
#pragma once

#include <napi.h>

#include "operation.h"

namespace eat::mpi {

// Null, as all that is made here, where there is no memory for it.
napi_value make_error(napi_env env, const char* kind, const char* what);

// An error with the words and the kind of what was thrown.
napi_value error_value(napi_env env, const std::exception_ptr& error);

// {buffer?, counts?, group?, rank?, size?} of what an operation left; its memory becomes the buffer's.
napi_value result_value(napi_env env, Operation& operation);

}  // namespace eat::mpi
