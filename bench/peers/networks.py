"""The networks of bench/training-step.ts in PyTorch, by the names under which this package writes their weights."""
import sys

import torch
import torch.nn.functional as F
from torch import nn


def torchvision_models():
    try:
        from torchvision import models
    except RuntimeError:
        # A build of torch and one of torchvision that do not fit: its own operators are not needed here.
        for name in [name for name in sys.modules if name.startswith("torchvision")]:
            del sys.modules[name]
        library = torch.library.Library("torchvision", "DEF")
        library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        from torchvision import models
    return models


class Conv(nn.Module):
    """The demo's network. TensorFlow's padding at strides of 2 where the loss is compared (`exact`), PyTorch's where time is."""

    exact = True

    def __init__(self):
        super().__init__()
        for i, (before, after, stride) in enumerate(((1, 32, 1), (32, 64, 2), (64, 128, 2)), 1):
            self.add_module(f"conv{i}", nn.Conv2d(before, after, 3, stride, 1, bias=False))
            self.add_module(f"norm{i}", nn.BatchNorm2d(after))

    def forward(self, x):
        for i in (1, 2, 3):
            layer = getattr(self, f"conv{i}")
            if self.exact and layer.stride == (2, 2):
                x = F.conv2d(F.pad(x, (0, 1, 0, 1)), layer.weight, stride=2)
            else:
                x = layer(x)
            x = F.relu(getattr(self, f"norm{i}")(x), inplace=True)
        return x.mean((2, 3))


# Ioffe and Szegedy, 2015: filters of 1x1, 3x3 reduce, 3x3, double reduce, double, after the pooling (0: halves its maps).
MODULES = {
    "3a": (64, 64, 64, 64, 96, 32), "3b": (64, 64, 96, 64, 96, 64), "3c": (0, 128, 160, 64, 96, 0),
    "4a": (224, 64, 96, 96, 128, 128), "4b": (192, 96, 128, 96, 128, 128), "4c": (160, 128, 160, 128, 160, 128),
    "4d": (96, 128, 192, 160, 192, 128), "4e": (0, 128, 192, 192, 256, 0),
    "5a": (352, 192, 320, 160, 224, 128), "5b": (352, 192, 320, 192, 224, 128),
}  # fmt: skip


class BNInception(nn.Module):
    def __init__(self):
        super().__init__()
        self.unit("conv1_7x7_s2", 3, 64, 7, 2)
        self.unit("conv2_3x3_reduce", 64, 64, 1)
        self.unit("conv2_3x3", 64, 192, 3)
        before = 192
        for name, (plain, narrow, wide, narrow_double, double, projected) in MODULES.items():
            path, stride = f"inception_{name}_", 1 if plain else 2
            if plain:
                self.unit(path + "1x1", before, plain, 1)
                self.unit(path + "pool_proj", before, projected, 1)
            self.unit(path + "3x3_reduce", before, narrow, 1)
            self.unit(path + "3x3", narrow, wide, 3, stride)
            self.unit(path + "double_3x3_reduce", before, narrow_double, 1)
            self.unit(path + "double_3x3_1", narrow_double, double, 3)
            self.unit(path + "double_3x3_2", double, double, 3, stride)
            before = plain + wide + double + projected if plain else wide + double + before

    def unit(self, name, before, after, size, stride=1):
        self.add_module(name, nn.Conv2d(before, after, size, stride, size // 2))
        self.add_module(name + "_bn", nn.BatchNorm2d(after))

    def run(self, name, x):
        return F.relu(getattr(self, name + "_bn")(getattr(self, name)(x)), inplace=True)

    def forward(self, x):
        x = F.max_pool2d(self.run("conv1_7x7_s2", x), 3, 2, ceil_mode=True)
        x = F.max_pool2d(self.run("conv2_3x3", self.run("conv2_3x3_reduce", x)), 3, 2, ceil_mode=True)
        for name, (plain, *_) in MODULES.items():
            path = f"inception_{name}_"
            wide = self.run(path + "3x3", self.run(path + "3x3_reduce", x))
            double = self.run(path + "double_3x3_1", self.run(path + "double_3x3_reduce", x))
            branches = [wide, self.run(path + "double_3x3_2", double)]
            if not plain:
                branches.append(F.max_pool2d(x, 3, 2, ceil_mode=True))
            else:
                pooled = F.max_pool2d(x, 3, 1, 1) if name == "5b" else F.avg_pool2d(x, 3, 1, 1)
                branches = [self.run(path + "1x1", x), *branches, self.run(path + "pool_proj", pooled)]
            x = torch.cat(branches, 1)
        return x.mean((2, 3))


def trunk(name):
    if name == "conv":
        return Conv()
    if name == "bn-inception":
        return BNInception()
    model = getattr(torchvision_models(), name.replace("-", "_"))(weights=None)
    for classifier in ("fc", "classifier"):
        if hasattr(model, classifier):
            setattr(model, classifier, nn.Identity())
    return model
