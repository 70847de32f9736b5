"""Attacks the weights and images that export.ts wrote by an independent PGD in PyTorch, and compares.

    python bench/peers/pgd.py EXPORTED.npz
    python bench/peers/pgd.py EXPORTED.npz --worst [--steps 100] [--restarts 3]

The second form takes no attack of the package: it looks for the lowest NMI and Recall@1 by the attacks of strong.py, to be laid
beside the worst case of `eat-dml evaluate` on the same images. It holds the whole set's activations at once: with
MALLOC_MMAP_THRESHOLD_=8000000000 MALLOC_TRIM_THRESHOLD_=16000000000 in the environment glibc keeps that memory, and a step of
soft k-means takes a third to a half of the time. Needs torch, numpy and scikit-learn. Same ball, steps, step size, random start, batches and best-iterate rule as the
package's PGD; network, objectives, projection and scores are written here from their definitions. The peer runs from three
random starts, which shows how much a metric moves by chance. Ends with 1 when one of the package's attacks reaches an
objective more than 1% below the peer's lowest, or leaves a metric more than 0.5 points above the peer's highest.
"""
import argparse
import sys

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.cluster import KMeans
from sklearn.metrics import normalized_mutual_info_score

import strong

TOLERANCE = 0.5
SHORTFALL = 0.01
SEEDS = (1, 2, 3)
STRIDES = (1, 2, 2)
NORM = ("gamma", "beta", "moving_mean", "moving_variance")


def same_padding(size, stride):
    """TensorFlow's 'same' for a kernel of 3: the odd pixel goes to the end."""
    total = max((-(-size // stride) - 1) * stride + 3 - size, 0)
    return total // 2, total - total // 2


class Member:
    def __init__(self, arrays, index):
        def weight(name):
            return torch.from_numpy(arrays[f"member{index}/{name}"])

        self.layers = [self.folded(weight(f"conv{i + 1}/kernel"), [weight(f"norm{i + 1}/{end}") for end in NORM]) for i in range(3)]
        self.kernel, self.bias = weight("embedding/kernel"), weight("embedding/bias")
        self.heads = int(weight("heads"))

    @staticmethod
    def folded(kernel, norm):
        """Filters and bias of the convolution with its batch normalisation by the running statistics."""
        gamma, beta, mean, variance = norm
        scale = gamma / (variance + 1e-5).sqrt()
        return kernel.permute(3, 2, 0, 1) * scale[:, None, None, None], beta - mean * scale

    def __call__(self, x):
        for (kernel, bias), stride in zip(self.layers, STRIDES):
            top, bottom = same_padding(x.shape[2], stride)
            left, right = same_padding(x.shape[3], stride)
            x = F.relu(F.conv2d(F.pad(x, (left, right, top, bottom)), kernel, bias, stride=stride))
        heads = (x.mean((2, 3)) @ self.kernel + self.bias).unflatten(1, (self.heads, -1))
        return F.normalize(heads, dim=2).flatten(1) / self.heads**0.5


def objective(name, clean, labels, centroids):
    """Maps embeddings to one value per image, all raised together."""
    own = F.one_hot(labels, len(centroids)).bool()
    same = labels[:, None] == labels[None, :]
    eye = torch.eye(len(labels), dtype=torch.bool)

    def values(e):
        if name == "embedding-shift":
            return (e - clean).square().sum(1)
        if name == "centroid-margin":
            d = torch.cdist(e, centroids).square()
            return d[own] - d.masked_fill(own, 1e6).min(1).values
        d = 2 - 2 * e @ e.T
        apart = (d * (same & ~eye)).sum(1) / (same.sum(1) - 1).clamp(min=1)
        return apart - (d * ~same).sum(1) / (~same).sum(1).clamp(min=1)

    return values


def pgd(embed, x, values, epsilon, steps, joint, generator):
    """Best iterate kept: per image, or for joint objectives of the whole batch."""
    step = 2.5 * epsilon / steps
    at = (x + epsilon * (2 * torch.rand(x.shape, generator=generator) - 1)).clamp(0, 1)
    best, kept = None, None
    for i in range(steps + 1):
        at.requires_grad_(True)
        value = values(embed(at))
        score = value.sum().expand(len(x)) if joint else value
        score = score.detach()
        wins = torch.ones(len(x), dtype=torch.bool) if best is None else score > best
        kept = at.detach().clone() if kept is None else torch.where(wins[:, None, None, None], at.detach(), kept)
        best = score if best is None else torch.maximum(best, score)
        if i == steps:
            return kept
        (gradient,) = torch.autograd.grad(value.sum(), at)
        at = at.detach() + step * gradient.sign()
        at = torch.minimum(torch.maximum(at, x - epsilon), x + epsilon).clamp(0, 1)


def scores(attacked, gallery, labels):
    """NMI of k-means and Recall@1 of attacked queries in the clean gallery, in points."""
    clusters = KMeans(len(np.unique(labels)), n_init=20, random_state=0).fit_predict(attacked)
    distances = torch.cdist(torch.from_numpy(attacked), torch.from_numpy(gallery))
    distances.fill_diagonal_(float("inf"))
    recall = (labels[distances.argmin(1).numpy()] == labels).mean()
    return 100 * normalized_mutual_info_score(labels, clusters), 100 * recall


def main(options):
    torch.set_num_threads(1)
    arrays = dict(np.load(options.exported))
    epsilon, steps, size = arrays["settings"].tolist()
    members = [Member(arrays, i) for i in range(len({k.split("/")[0] for k in arrays if k.startswith("member")}))]

    def embed(x):
        return torch.cat([member(x) for member in members], 1) / len(members) ** 0.5

    def embedded(images):
        with torch.no_grad():
            return torch.cat([embed(part) for part in images.split(int(size))]).numpy()

    def tensor(name):
        return torch.from_numpy(arrays[name]).permute(0, 3, 1, 2).contiguous()

    images, labels = tensor("images"), arrays["labels"]
    if options.worst:
        attacker = strong.Attacker(embed, images, labels, epsilon, options.steps, options.restarts)
        nmi, recall = strong.worst(attacker, lambda *row: print("{:24} {:.3f} {:.3f}".format(*row), flush=True))
        print(f"{'worst NMI and Recall@1':24} {nmi:.3f} {recall:.3f}")
        return 0
    classes, centroids = torch.from_numpy(labels).long(), torch.from_numpy(arrays["centroids"])
    gallery = embedded(images)
    batches = [slice(start, start + int(size)) for start in range(0, len(images), int(size))]
    worse = False
    clean = " ".join(f"{value:.2f}" for value in scores(gallery, gallery, labels))
    print(f"{'objective':16} {'attack':14} {'value':>8} {'NMI':>6} {'R@1':>6}   clean NMI and R@1: {clean}")
    for name in ("embedding-shift", "centroid-margin", "joint-pairwise"):
        joint = name == "joint-pairwise"
        goals = [objective(name, torch.from_numpy(gallery[rows]), classes[rows], centroids) for rows in batches]

        def measured(attacked):
            e = embedded(attacked)
            value = np.mean([goal(torch.from_numpy(e[rows])).mean() for goal, rows in zip(goals, batches)])
            return np.array([value, *scores(e, gallery, labels)])

        peers = []
        for seed in SEEDS:
            generator = torch.Generator().manual_seed(seed)
            parts = [
                pgd(embed, images[rows], goal, epsilon, int(steps), joint, generator)
                for goal, rows in zip(goals, batches)
            ]
            peers.append(measured(torch.cat(parts)))
            show(name, f"PyTorch, {seed}", peers[-1])
        for attack in ("pgd", "apgd"):
            ours = tensor(f"ours/{attack}/{name}")
            assert (ours - images).abs().max() <= epsilon * (1 + 1e-6), "outside the ball"
            own = measured(ours)
            lowest, highest = np.min(peers, 0), np.max(peers, 0)
            # NMI is blind to a renaming of clusters and may rise with a stronger attack on single images (it does here:
            # above the clean NMI under embedding-shift), so there it is shown and Recall@1 judges.
            judged = slice(1, 3) if joint else slice(2, 3)
            weak = own[0] < lowest[0] - SHORTFALL * abs(lowest[0]) or (own[judged] > highest[judged] + TOLERANCE).any()
            worse |= bool(weak)
            show(name, f"ours, {attack}", own, "WEAKER" if weak else "")
    return int(worse)


def show(name, attack, figures, note=""):
    value, nmi, recall = figures
    print(f"{name:16} {attack:14} {value:8.4f} {nmi:6.2f} {recall:6.2f} {note}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("exported")
    parser.add_argument("--worst", action="store_true")
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--restarts", type=int, default=3)
    sys.exit(main(parser.parse_args()))
