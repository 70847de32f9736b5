"""PyTorch's side of bench/training-step.ts: one training step and one attack step of the same networks.

    python training_step.py [--net conv|resnet18] [--threads 2] [--runs 15] [--channels-last]

Needs torch. Proxy-Anchor over 10 classes, AdamW, batches of 64: 28x28x1 images for conv, 64x64x3 for resnet18.
"""
import argparse
import statistics
import time

import torch
import torch.nn.functional as F
from torch import nn

arguments = argparse.ArgumentParser()
arguments.add_argument("--net", choices=["conv", "resnet18"], default="conv")
arguments.add_argument("--threads", type=int, default=2)
arguments.add_argument("--runs", type=int, default=15)
arguments.add_argument("--channels-last", action="store_true")
options = arguments.parse_args()
torch.set_num_threads(options.threads)
torch.manual_seed(0)


def unit(before, after, size, stride):
    return nn.Sequential(
        nn.Conv2d(before, after, size, stride, size // 2, bias=False), nn.BatchNorm2d(after)
    )


class Block(nn.Module):
    def __init__(self, before, after):
        super().__init__()
        stride = 1 if before == after else 2
        self.first, self.second = unit(before, after, 3, stride), unit(after, after, 3, 1)
        self.shortcut = nn.Identity() if before == after else unit(before, after, 1, stride)

    def forward(self, x):
        return F.relu(self.second(F.relu(self.first(x))) + self.shortcut(x))


def convolutions():
    layers = []
    for before, after, stride in ((1, 32, 1), (32, 64, 2), (64, 128, 2)):
        layers += [unit(before, after, 3, stride), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, 64))


def resnet18():
    widths = [64, 64, 64, 128, 128, 256, 256, 512, 512]
    blocks = [Block(before, after) for before, after in zip(widths, widths[1:])]
    stem = [unit(3, 64, 7, 2), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)]
    return nn.Sequential(*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 64))


net, images = (
    (convolutions(), torch.rand(64, 1, 28, 28)) if options.net == "conv" else (resnet18(), torch.rand(64, 3, 64, 64))
)
if options.channels_last:
    net, images = net.to(memory_format=torch.channels_last), images.contiguous(memory_format=torch.channels_last)
proxies = nn.Parameter(torch.rand(10, 64) - 0.5)
classes = F.one_hot(torch.arange(64) % 10, 10).float()
optimizer = torch.optim.AdamW([{"params": net.parameters()}, {"params": [proxies]}], lr=1e-4)


def loss(x):
    cosine = F.normalize(net(x), dim=1) @ F.normalize(proxies, dim=1).T
    pull = torch.log1p((torch.exp(-32 * (cosine - 0.1)) * classes).sum(0)).mean()
    return pull + torch.log1p((torch.exp(32 * (cosine + 0.1)) * (1 - classes)).sum(0)).mean()


def train():
    net.train()
    optimizer.zero_grad()
    loss(images).backward()
    optimizer.step()


def attack():
    net.eval()
    x = images.clone().requires_grad_(True)
    (gradient,) = torch.autograd.grad(loss(x), x)
    return torch.clamp(images + torch.clamp(0.02 * gradient.sign(), -0.1, 0.1), 0, 1)


for name, step in (("train", train), ("attack", attack)):
    for _ in range(3):
        step()
    taken = []
    for _ in range(options.runs):
        start = time.perf_counter()
        step()
        taken.append(1e3 * (time.perf_counter() - start))
    print(f"{name:8}PyTorch     {statistics.median(taken):10.1f}{min(taken):10.1f}")
