"""PyTorch's side of bench/convolutions.ts: `python convolutions.py [--batch 8] [--threads 2] [--repeats 30] [--layout channels_last]`."""
import argparse
import time

import torch

arguments = argparse.ArgumentParser()
arguments.add_argument("--batch", type=int, default=8)
arguments.add_argument("--threads", type=int, default=2)
arguments.add_argument("--repeats", type=int, default=30)
arguments.add_argument("--layout", choices=["channels_last", "default"], default="channels_last")
options = arguments.parse_args()
torch.set_num_threads(options.threads)
layout = torch.channels_last if options.layout == "channels_last" else torch.contiguous_format
total = {"forward": 0.0, "input": 0.0, "filter": 0.0}
for side, channels in ((56, 64), (28, 128), (14, 256), (7, 512)):
    shape = (options.batch, channels, side, side)
    x, dy = (torch.randn(shape).to(memory_format=layout) for _ in range(2))
    w = torch.randn(channels, channels, 3, 3).to(memory_format=layout)

    def backward(of_input, of_filter):
        mask = [of_input, of_filter, False]
        return torch.ops.aten.convolution_backward(dy, x, w, None, [1, 1], [1, 1], [1, 1], False, [0, 0], 1, mask)

    passes = {
        "forward": lambda: torch.conv2d(x, w, padding=1),
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
        flops = 2 * 9 * options.batch * side * side * channels**2
        figures.append(f"{name} {least * 1e3:.2f} ms {flops / least / 1e9:.0f} GFLOP/s")
    print(f"{options.batch} x {side}x{side}x{channels}: {', '.join(figures)}")
print("all: " + ", ".join(f"{name} {ms:.2f} ms" for name, ms in total.items()))
