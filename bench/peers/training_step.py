"""PyTorch's side of bench/training-step.ts, which starts it: training and attack steps of the same network, weights and images.

    python training_step.py NET WEIGHTS.safetensors INPUTS.safetensors THREADS LAYOUT

LAYOUT is default or channels_last. First it writes a line of JSON: PyTorch's version, the loss of the first and the last of STEPS
training steps. Then it answers each line of {"step": "train" or "attack", "count": N} with the N steps' milliseconds, and rests
meanwhile. Needs torch and safetensors, torchvision for its networks. EAT_DML_TORCH_DEVICE names where it runs; fp32 there, without TF32.
"""
import json
import os
import sys
import time

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import nn

from networks import trunk

STEPS = 20

net_name, weights, inputs, threads, layout = sys.argv[1:]
torch.set_num_threads(int(threads))
device = os.environ.get("EAT_DML_TORCH_DEVICE", "cpu")
torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
given, tensors = load_file(inputs), load_file(weights)
head = nn.Linear(*reversed(tensors["embedding.weight"].shape))
head.load_state_dict({end: tensors.pop(f"embedding.{end}") for end in ("weight", "bias")})
body = trunk(net_name)
missing = body.load_state_dict(tensors, strict=False).missing_keys
assert all(name.endswith("num_batches_tracked") for name in missing), missing
net = nn.Sequential(body, head).to(device)
images, proxies = given["images"].permute(0, 3, 1, 2).contiguous().to(device), nn.Parameter(given["proxies"].to(device))
if layout == "channels_last":
    net, images = net.to(memory_format=torch.channels_last), images.contiguous(memory_format=torch.channels_last)
classes = F.one_hot(given["labels"].long(), len(proxies)).float().to(device)
present = classes.sum(0) > 0
optimizer = torch.optim.AdamW([*net.parameters(), proxies], lr=1e-4, weight_decay=1e-4)


def loss(x):
    """Proxy-Anchor (Kim et al., 2020), alpha 32, margin 0.1."""
    cosine = F.normalize(net(x), dim=1) @ F.normalize(proxies, dim=1).T
    pull = torch.log1p((torch.exp(-32 * (cosine - 0.1)) * classes).sum(0))[present].mean()
    return pull + torch.log1p((torch.exp(32 * (cosine + 0.1)) * (1 - classes)).sum(0)).mean()


def train():
    net.train()
    optimizer.zero_grad()
    value = loss(images)
    value.backward()
    optimizer.step()
    return value.item()


def attack():
    net.eval()
    x = images.clone().requires_grad_(True)
    (gradient,) = torch.autograd.grad(loss(x), x)
    moved = images + torch.clamp(0.02 * gradient.sign(), -0.1, 0.1)
    return torch.clamp(moved, 0, 1).flatten()[0].item()


losses = [train() for _ in range(STEPS)]
body.exact = False
attack()
print(json.dumps({"version": torch.__version__, "losses": [losses[0], losses[-1]]}), flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    step, times = {"train": train, "attack": attack}[asked["step"]], []
    for _ in range(asked["count"]):
        start = time.perf_counter()
        step()
        times.append(1e3 * (time.perf_counter() - start))
    print(json.dumps(times), flush=True)
