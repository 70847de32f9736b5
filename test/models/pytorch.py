"""Embeddings by torchvision of weights that were exported: python pytorch.py WEIGHTS ARCH IMAGES.npy OUT.npy"""
import pathlib
import sys

import numpy as np
import torch


sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "bench" / "peers"))
from networks import trunk  # noqa: E402


def main(weights, arch, images, out):
    from safetensors.torch import load_file

    model = trunk(arch)
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
