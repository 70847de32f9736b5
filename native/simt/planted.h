// A fault on purpose, for tests of what runs the kernels: EAT_SIMT_PLANT="hang KERNEL" or "illegal_address KERNEL". KERNEL is how
// the kernel's name begins, with its variant: "pairwise_tiles<eat::cuda::TensorCoreTile". As on a GPU, a kernel that hangs never
// ends, and an illegal address loses the device for the rest of the process.
#pragma once

namespace eat::simt {

constexpr int kIllegalAddress = 700;  // cudaErrorIllegalAddress

// Of every call: 0, or kIllegalAddress once the device is lost.
int device_status();

// Before `kernel` is launched: what the launch gives.
int launch_status(const void* kernel);

}  // namespace eat::simt
