"""What torch gives on the GPU that bench/gpu.ts measures: the card's ceilings, and torch's way to what the kernels do.

    python gpu.py

Needs torch with CUDA. Ceilings: a copy, a step's traffic, square products in fp32, TF32, fp16 and bf16. Peers: the plain product
of each shape, addmm + argmin, cdist, cdist + topk, means by index_add, a linf step. Times by CUDA events, the median of nine.
One JSON on stdout; each row also on stderr as it is measured.
"""
import json
import sys

try:
    import torch
except ImportError:
    sys.exit("python3 has no torch")
if not torch.cuda.is_available():
    sys.exit("torch sees no GPU")

RUNS = 9
# torch's names: fp32 as IEEE has it, and TF32.
PRECISIONS = {"fp32": "highest", "tf32": "high"}
rows = []


def median_ms(run):
    times = []
    for i in range(RUNS + 1):
        start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        start.record()
        run()
        end.record()
        torch.cuda.synchronize()
        if i > 0:  # the first loads the kernels
            times.append(start.elapsed_time(end))
    return sorted(times)[RUNS // 2]


def measure(name, run, flops=None, nbytes=None):
    ms = median_ms(run)
    row = {"name": name, "milliseconds": ms}
    if flops:
        row["tflops"] = flops / ms / 1e9
    if nbytes:
        row["gbytes"] = nbytes / ms / 1e6
    rows.append(row)
    print(row, file=sys.stderr)


def uniform(*shape):
    return torch.rand(*shape, device="cuda") - 0.5


def copy():
    a, b = uniform(1 << 29), torch.empty(1 << 29, device="cuda")
    measure("copy of 2 GiB", lambda: b.copy_(a), nbytes=2 * 4 << 29)


def steps():
    n, d = 256, 150528
    x0, x, g = uniform(n, d) + 0.5, uniform(n, d) + 0.5, uniform(n, d)
    out = torch.empty(n, d, device="cuda")
    traffic = 16 * n * d
    measure("3 reads and a write (addcmul)", lambda: torch.addcmul(x0, x, g, out=out), nbytes=traffic)
    measure(
        f"linf step {n} x {d}, eager",
        lambda: torch.clamp(torch.max(torch.min(x + 0.02 * g.sign(), x0 + 0.1), x0 - 0.1), 0, 1),
        nbytes=traffic,
    )


def products():
    m = 8192
    a, b, out = uniform(m, m), uniform(m, m), torch.empty(m, m, device="cuda")
    for name, precision in PRECISIONS.items():
        torch.set_float32_matmul_precision(precision)
        measure(f"product {m}, {name}", lambda: torch.mm(a, b, out=out), flops=2 * m**3)
    for name, kind in {"fp16": torch.float16, "bf16": torch.bfloat16}.items():
        p, q = a.to(kind), b.to(kind)
        measure(f"product {m}, {name}", lambda: torch.mm(p, q), flops=2 * m**3)


def assignment(n, k, d):
    x, c, out = uniform(n, d), uniform(k, d), torch.empty(n, k, device="cuda")

    def assign():
        torch.addmm((c * c).sum(1), x, c.T, alpha=-2, out=out)
        return out.argmin(1)

    shape, flops = f"{n} x {k}, d {d}", 2 * n * k * d
    for name, precision in PRECISIONS.items():
        torch.set_float32_matmul_precision(precision)
        measure(f"mm {shape}, {name}", lambda: torch.mm(x, c.T, out=out), flops=flops)
        measure(f"addmm + argmin {shape}, {name}", assign, flops=flops)


def distances():
    torch.set_float32_matmul_precision(PRECISIONS["fp32"])
    n, d = 16384, 256
    x, y, flops = uniform(n, d), uniform(n, d), 2 * n * n * d
    shape = f"{n} x {n}, d {d}"
    measure(f"cdist {shape}", lambda: torch.cdist(x, y), flops=flops)
    measure(f"cdist + topk {shape}, k 11", lambda: torch.cdist(x, x).topk(11, largest=False), flops=flops)


def means():
    n, k, d = 1_000_000, 1000, 128
    x, labels = uniform(n, d), torch.arange(n, device="cuda") * 7919 % k
    zeros = torch.zeros(k, d, device="cuda")
    measure(f"index_add {n}, k {k}, d {d}", lambda: zeros.clone().index_add_(0, labels, x), nbytes=4 * n * (d + 1))


def attempt(part, *arguments):
    """What does not fit this card must not cost the rest."""
    try:
        part(*arguments)
    except RuntimeError as error:
        rows.append({"name": f"{part.__name__} {arguments}", "error": str(error)[:200]})
        print(rows[-1], file=sys.stderr)
    torch.cuda.empty_cache()


torch.manual_seed(1)
attempt(copy)
attempt(steps)
attempt(products)
for shape in [(1_000_000, 1000, 128), (500_000, 4096, 256), (500_000, 4096, 512)]:
    attempt(assignment, *shape)
attempt(distances)
attempt(means)
card = torch.cuda.get_device_properties(0)
about = {"torch": torch.__version__, "cuda": torch.version.cuda, "device": card.name, "multiprocessors": card.multi_processor_count}
print(json.dumps({**about, "rows": rows}))
