"""RobRank's network for 28 x 28 images in PyTorch, float64: python make.py > embedding.json

Variable v of this package's layout has sin(0.37 k + v) / sqrt(fan in) at its k-th place, biases a tenth of sin(0.37 k + v); pixel k is
0.5 + 0.5 sin(0.11 k). `gradient` is that of the sum over rows and columns of (row + 1) (column + 1) embedding by the images.
"""
import json

import numpy as np
import torch
from torch import nn

DIMENSION = 6


def weights(v, shape):
    k = np.arange(np.prod(shape))
    values = np.sin(0.37 * k + v)
    return torch.tensor((values / np.sqrt(np.prod(shape[:-1])) if len(shape) > 1 else values / 10).reshape(shape))


network = nn.Sequential(
    nn.Conv2d(1, 32, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
    nn.Flatten(), nn.Linear(3136, 1024), nn.ReLU(), nn.Linear(1024, DIMENSION),
).double()
conv1, conv2, fc1, fc2 = (network[i] for i in (0, 3, 7, 9))
with torch.no_grad():
    conv1.weight[:] = weights(0, (5, 5, 1, 32)).permute(3, 2, 0, 1)
    conv1.bias[:] = weights(1, (32,))
    conv2.weight[:] = weights(2, (5, 5, 32, 64)).permute(3, 2, 0, 1)
    conv2.bias[:] = weights(3, (64,))
    # Here maps are flattened with channels last.
    fc1.weight[:] = weights(4, (7, 7, 64, 1024)).permute(3, 2, 0, 1).reshape(1024, 3136)
    fc1.bias[:] = weights(5, (1024,))
    fc2.weight[:] = weights(6, (1024, DIMENSION)).T
    fc2.bias[:] = weights(7, (DIMENSION,))
images = torch.tensor(0.5 + 0.5 * np.sin(0.11 * np.arange(2 * 784)).reshape(2, 1, 28, 28), requires_grad=True)
embedding = nn.functional.normalize(network(images))
rows, columns = torch.arange(1, 3).double(), torch.arange(1, DIMENSION + 1).double()
(gradient,) = torch.autograd.grad((rows[:, None] * columns * embedding).sum(), images)
print(json.dumps({
    "torch": torch.__version__,
    "embedding": embedding.tolist(),
    "gradientLength": gradient.flatten(1).norm(dim=1).tolist(),
    "gradient": gradient.flatten(1)[:, ::97].tolist(),
}))
