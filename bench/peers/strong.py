"""The strongest attacks that the independent attacker knows, on the whole set at once, written from their definitions:
soft k-means whose temperature follows the data, and a retrieval objective, towards all other classes and towards the nearest ones
alone, each by momentum steps that decay to nothing, from random starts; then the choice per image among everything that was found. pgd.py --worst runs them."""
import numpy as np
import torch
import torch.nn.functional as F
from sklearn.cluster import KMeans
from sklearn.metrics import normalized_mutual_info_score

TEMPERATURES = (0.05, 0.075, 0.1, 0.2)
SHARPNESS = 50
ITERATIONS = 5
NEAREST = 3


def information(embeddings, own, centroids, temperature):
    """Mutual information of classes and clusters after soft k-means from the class means."""
    centres = centroids
    for step in range(ITERATIONS + 1):
        shares = torch.softmax(-torch.cdist(embeddings, centres).square() / temperature, 1)
        if step < ITERATIONS:
            centres = shares.T @ embeddings / shares.sum(0)[:, None]
    joint = own.T @ shares / len(embeddings)
    independent = joint.sum(1, keepdim=True) * joint.sum(0, keepdim=True)
    return (joint * ((joint + 1e-12) / (independent + 1e-12)).log()).sum()


def misranking(embeddings, rows, gallery, labels, goals=None):
    """Per image: the other classes' (or one class's) similarities, softly the largest, less the own class's, the own image left out."""
    similarity = SHARPNESS * embeddings @ gallery.T
    same = labels[rows][:, None] == labels[None, :]
    wanted = ~same if goals is None else labels[None, :] == goals[rows][:, None]
    others = similarity.masked_fill(~wanted, -1e4).logsumexp(1)
    own = same.clone()
    own[torch.arange(len(rows)), rows] = False
    return others - similarity.masked_fill(~own, -1e4).logsumexp(1)


def decaying(images, epsilon, steps, generator, gradient):
    """Momentum steps along the sign, of lengths that fall as a cosine from epsilon / 4 to 0."""
    at = (images + epsilon * (2 * torch.rand(images.shape, generator=generator) - 1)).clamp(0, 1)
    velocity = torch.zeros_like(images)
    for step in range(steps):
        found = gradient(at)
        velocity = 0.9 * velocity + found / found.abs().mean((1, 2, 3), keepdim=True).clamp(min=1e-24)
        length = epsilon / 4 * (1 + np.cos(np.pi * step / steps)) / 2
        at = at + length * velocity.sign()
        at = torch.minimum(torch.maximum(at, images - epsilon), images + epsilon).clamp(0, 1)
    return at


class Attacker:
    def __init__(self, embed, images, labels, epsilon, steps, restarts, size=100):
        self.embed, self.images, self.epsilon = embed, images, epsilon
        self.steps, self.restarts, self.size = steps, restarts, size
        self.labels = torch.from_numpy(labels).long()
        self.clean = self.embedded(images)
        self.own = F.one_hot(self.labels).float()
        self.centroids = self.own.T @ self.clean / self.own.sum(0)[:, None]
        self.spread = (self.clean - self.clean.mean(0)).square().sum(1).mean()

    def embedded(self, images):
        with torch.no_grad():
            return torch.cat([self.embed(part) for part in images.split(self.size)])

    def soft_kmeans(self, share, seed):
        def gradient(at):
            at = at.detach().requires_grad_(True)
            e = torch.cat([self.embed(part) for part in at.split(self.size)])
            value = -information(e, self.own, self.centroids, share * self.spread)
            return torch.autograd.grad(value, at)[0]

        return decaying(self.images, self.epsilon, self.steps, torch.Generator().manual_seed(seed), gradient)

    def goals(self, rank):
        """Of each image the other class whose nearest image is the rank-th nearest to it, from 0."""
        similarity = self.clean @ self.clean.T
        nearest = torch.stack([similarity[:, self.labels == c].amax(1) for c in range(self.own.shape[1])], 1)
        return nearest.masked_fill(self.own.bool(), -2).argsort(1, descending=True)[:, rank]

    def retrieval(self, seed, goals=None):
        def gradient(at):
            parts = []
            for rows in torch.arange(len(at)).split(self.size):
                part = at[rows].detach().requires_grad_(True)
                value = misranking(self.embed(part), rows, self.clean, self.labels, goals).sum()
                parts.append(torch.autograd.grad(value, part)[0])
            return torch.cat(parts)

        return decaying(self.images, self.epsilon, self.steps, torch.Generator().manual_seed(seed), gradient)

    def sets(self):
        """Name and embeddings of every attacked set."""
        for seed in range(self.restarts):
            for share in TEMPERATURES:
                yield f"soft-kmeans {share}, {seed}", self.embedded(self.soft_kmeans(share, seed))
            yield f"retrieval, {seed}", self.embedded(self.retrieval(seed))
            for rank in range(min(NEAREST, self.own.shape[1] - 1)):
                yield f"retrieval {rank + 1}, {seed}", self.embedded(self.retrieval(seed, self.goals(rank)))

    def nmi(self, embeddings):
        means = KMeans(self.own.shape[1], n_init=20, random_state=0).fit(embeddings.numpy())
        return normalized_mutual_info_score(self.labels, means.labels_), means

    def found(self, embeddings):
        """1 for each query whose nearest clean image, its own left out, is of its class."""
        distances = torch.cdist(embeddings, self.clean).fill_diagonal_(float("inf"))
        return (self.labels[distances.argmin(1)] == self.labels).numpy()

    def composite(self, sets, rounds=4):
        """Per image the set whose cluster lowers the mutual information of the whole, clusters as k-means finds them."""
        order = np.random.default_rng(0)
        lowest = min((self.nmi(e)[0], i) for i, e in enumerate(sets))
        best, chosen = lowest[0], torch.full((len(self.labels),), lowest[1])
        stack, rows = torch.stack(list(sets)), torch.arange(len(self.labels))
        for _ in range(rounds):
            means = self.nmi(stack[chosen, rows])[1]
            options = np.stack([means.predict(e.numpy()) for e in stack])
            chosen = torch.from_numpy(greedy(options, self.labels.numpy(), chosen.numpy().copy(), order))
            best = min(best, self.nmi(stack[chosen, rows])[0])
        return best


def greedy(options, labels, chosen, order):
    count = len(labels)
    table = np.zeros((labels.max() + 1, options.max() + 1))
    np.add.at(table, (labels, options[chosen, np.arange(count)]), 1)
    for _ in range(5):
        moved = False
        for i in order.permutation(count):
            own, best = options[chosen[i], i], None
            table[labels[i], own] -= 1
            for cluster in np.unique(options[:, i]):
                table[labels[i], cluster] += 1
                value = nmi_of(table)
                table[labels[i], cluster] -= 1
                if best is None or value < best[0] - 1e-12:
                    best = (value, cluster)
            table[labels[i], best[1]] += 1
            if best[1] != own:
                chosen[i], moved = int(np.flatnonzero(options[:, i] == best[1])[0]), True
        if not moved:
            break
    return chosen


def nmi_of(table):
    def entropy(p):
        p = p[p > 0]
        return -(p * np.log(p)).sum()

    p = table / table.sum()
    a, b = entropy(p.sum(1)), entropy(p.sum(0))
    return 2 * (a + b - entropy(p.ravel())) / (a + b)


def worst(attacker, show):
    """The lowest NMI and Recall@1 over all sets and their composite."""
    sets, recall = [], attacker.found(attacker.clean)
    lowest = [attacker.nmi(attacker.clean)[0], recall.mean()]
    show("clean", *lowest)
    for name, embeddings in attacker.sets():
        found = attacker.found(embeddings)
        figures = attacker.nmi(embeddings)[0], found.mean()
        show(name, *figures)
        lowest = [min(a, b) for a, b in zip(lowest, figures)]
        recall &= found
        sets.append(embeddings)
    figures = attacker.composite([attacker.clean, *sets]), recall.mean()
    show("composite", *figures)
    return [min(a, b) for a, b in zip(lowest, figures)]
