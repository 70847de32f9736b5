"""Embeddings by torchvision of weights that were exported: python pytorch.py WEIGHTS ARCH IMAGES.npy OUT.npy"""
import sys

import numpy as np
import torch


def networks():
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


def main(weights, arch, images, out):
    from safetensors.torch import load_file

    model = getattr(networks(), arch)(weights=None)
    for name in ("fc", "classifier"):
        if hasattr(model, name):
            setattr(model, name, torch.nn.Identity())
    tensors = load_file(weights)
    kernel, bias = tensors.pop("embedding.weight"), tensors.pop("embedding.bias")
    model.load_state_dict(tensors)
    model.eval()
    pixels = torch.from_numpy(np.load(images)).permute(0, 3, 1, 2)
    mean, deviation = (torch.tensor(v).view(1, 3, 1, 1) for v in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
    with torch.no_grad():
        rows = torch.nn.functional.linear(model((pixels - mean) / deviation), kernel, bias)
        np.save(out, torch.nn.functional.normalize(rows).numpy())


main(*sys.argv[1:])
