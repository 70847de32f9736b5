/** What takes minutes on WebGPU in software: on a graphics card always, else where EAT_DML_TEST_WEBGPU_LONG asks for it. */
export const LONG_ON_WEBGPU = process.env.EAT_DML_TEST_WEBGPU_LONG === '1';
