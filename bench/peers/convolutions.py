"""PyTorch's side of bench/convolutions.ts: `python convolutions.py [3x3|1x1|first] [batch] [repeats] [--threads 2] [--layout channels_last]`."""
import argparse
import time

import torch

arguments = argparse.ArgumentParser()
arguments.add_argument("kind", nargs="?", choices=["3x3", "1x1", "first"], default="3x3")
arguments.add_argument("batch", nargs="?", type=int, default=8)
arguments.add_argument("repeats", nargs="?", type=int, default=30)
arguments.add_argument("--threads", type=int, default=2)
arguments.add_argument("--layout", choices=["channels_last", "default"], default="channels_last")
options = arguments.parse_args()
torch.set_num_threads(options.threads)
layout = torch.channels_last if options.layout == "channels_last" else torch.contiguous_format
total = {"forward": 0.0, "input": 0.0, "filter": 0.0}
SHAPES = {
    "3x3": ((56, 64, 64, 3, 1), (28, 128, 128, 3, 1), (14, 256, 256, 3, 1), (7, 512, 512, 3, 1)),
    "1x1": (
        *((56, a, b, 1, 1) for a, b in ((64, 64), (64, 256), (256, 64))),
        *((side, a, b, 1, 1) for side, n in ((28, 128), (14, 256), (7, 512)) for a, b in ((n, 4 * n), (4 * n, n))),
    ),
    "first": ((224, 3, 64, 7, 2),),
}
for side, channels, columns, taps, stride in SHAPES[options.kind]:
    out_side, pad = side // stride, taps // 2
    x = torch.randn(options.batch, channels, side, side).to(memory_format=layout)
    dy = torch.randn(options.batch, columns, out_side, out_side).to(memory_format=layout)
    w = torch.randn(columns, channels, taps, taps).to(memory_format=layout)

    def backward(of_input, of_filter):
        mask = [of_input, of_filter, False]
        return torch.ops.aten.convolution_backward(dy, x, w, None, [stride] * 2, [pad] * 2, [1, 1], False, [0, 0], 1, mask)

    passes = {
        "forward": lambda: torch.conv2d(x, w, stride=stride, padding=pad),
        "input": lambda: backward(True, False),
        "filter": lambda: backward(False, True),
    }
    figures = []
    for name, run in passes.items():
        least = float("inf")
        with torch.no_grad():
            for _ in range(options.repeats):
                start = time.perf_counter()
                run()
                least = min(least, time.perf_counter() - start)
        total[name] += least * 1e3
        flops = 2 * dy.numel() * taps**2 * channels
        figures.append(f"{name} {least * 1e3:.2f} ms {flops / least / 1e9:.0f} GFLOP/s")
    print(f"{options.batch} x {side}x{side}x{channels} to {columns}, {taps}x{taps}/{stride}: {', '.join(figures)}")
print("all: " + ", ".join(f"{name} {ms:.2f} ms" for name, ms in total.items()))
