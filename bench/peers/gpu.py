# What torch takes on the GPU for the products behind bench/gpu.ts (cuBLAS, fp32 and TF32), by CUDA events: one JSON.
import json
import sys

try:
    import torch
except ImportError:
    sys.exit("python3 has no torch")
if not torch.cuda.is_available():
    sys.exit("torch sees no GPU")


def median_ms(run):
    times = []
    for i in range(8):
        start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        start.record()
        run()
        end.record()
        torch.cuda.synchronize()
        if i > 0:  # the first loads the kernels
            times.append(start.elapsed_time(end))
    return sorted(times)[len(times) // 2]


rows = []
for n, m, d in [(1_000_000, 1000, 128), (500_000, 4096, 512), (16_384, 16_384, 256)]:
    a, b = torch.rand(n, d, device="cuda"), torch.rand(m, d, device="cuda")
    out = torch.empty(n, m, device="cuda")
    for tf32 in (False, True):
        torch.backends.cuda.matmul.allow_tf32 = tf32
        ms = median_ms(lambda: torch.mm(a, b.T, out=out))
        rows.append({"product": f"{n} x {m}, d {d}", "tf32": tf32, "milliseconds": ms, "tflops": 2 * n * m * d / ms / 1e9})
    del a, b, out
print(json.dumps({"torch": torch.__version__, "cuda": torch.version.cuda, "products": rows}))
