"""Images a second from a folder of JPEGs to batches of floats, as torchvision's users read them; one JSON line a way.
python3 bench/peers/decoding.py FOLDER [--batch 64] [--workers 2]; bench/decoding.ts makes the folder and calls this.
torchvision.io wants the libraries that its wheel was built against: of a wheel for CUDA, libc10_cuda.so and libtorch_cuda.so, of which
decoding on the CPU calls nothing."""
import argparse
import json
import resource
import time

import torch

try:
    import torchvision
except RuntimeError:
    # Wheels of torch and torchvision that do not match: the operators are declared, and none of them is used here.
    library = torch.library.Library("torchvision", "DEF")
    library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    import torchvision
from torchvision import datasets, io, transforms
from torchvision.transforms import v2

arguments = argparse.ArgumentParser()
arguments.add_argument("folder")
arguments.add_argument("--batch", type=int, default=64)
arguments.add_argument("--workers", type=int, default=2)
options = arguments.parse_args()

CENTRE = [transforms.Resize(256), transforms.CenterCrop(224), transforms.ToTensor()]
RANDOM = [transforms.RandomResizedCrop(224), transforms.RandomHorizontalFlip(), transforms.ToTensor()]
TENSORS = [v2.Resize(256, antialias=True), v2.CenterCrop(224), v2.ToDtype(torch.float32, scale=True)]


def read_jpeg(path):
    return io.decode_jpeg(io.read_file(path), mode=io.ImageReadMode.RGB)


def pillow_bytes(path):
    """Stands for torchvision.io where its library does not load: Pillow's decoder, then tensors all the way."""
    return v2.functional.pil_to_tensor(datasets.folder.pil_loader(path))


def cpu_seconds():
    parts = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(part.ru_utime + part.ru_stime for part in parts)


def measure(name, loader, steps):
    torch.set_num_threads(1)
    data = datasets.ImageFolder(options.folder, transforms.Compose(steps), loader=loader)
    batches = torch.utils.data.DataLoader(data, batch_size=options.batch, num_workers=options.workers)
    start, cpu, images = time.perf_counter(), cpu_seconds(), 0
    for batch, _ in batches:
        images += len(batch)
    seconds = time.perf_counter() - start
    # The workers' time is known once they have ended.
    del batches
    print(json.dumps({"name": name, "imagesPerSecond": images / seconds, "cpuMs": 1000 * (cpu_seconds() - cpu) / images}), flush=True)


def main():
    measure("torchvision ImageFolder, Pillow", datasets.folder.default_loader, CENTRE)
    measure("torchvision ImageFolder, Pillow, random", datasets.folder.default_loader, RANDOM)
    try:
        first = datasets.ImageFolder(options.folder).samples[0][0]
        read_jpeg(first)
    except RuntimeError:
        measure("Pillow's decoder, torchvision's tensors", pillow_bytes, TENSORS)
    else:
        measure("torchvision.io", read_jpeg, TENSORS)


if __name__ == "__main__":
    main()
