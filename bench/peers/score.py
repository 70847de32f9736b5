"""Clustering and retrieval of embeddings with scikit-learn and numpy, as one JSON line.
python3 bench/peers/score.py E.npy L.npy --k K [--recall-at 1,2,4,8] [--assignment OUT.npy] [--without-kmeans]; bench/score.ts calls this."""
import argparse
import json
import time

import numpy
from sklearn.cluster import KMeans
from sklearn.metrics import normalized_mutual_info_score

arguments = argparse.ArgumentParser()
arguments.add_argument("embeddings")
arguments.add_argument("labels")
arguments.add_argument("--k", type=int, required=True)
arguments.add_argument("--recall-at", default="1,2,4,8")
arguments.add_argument("--assignment")
arguments.add_argument("--without-kmeans", action="store_true", help="rows by the nearest of K drawn rows instead")
arguments.add_argument("--chunk", type=int, default=2000)
options = arguments.parse_args()


def recall(points, labels, ks):
    """Share of rows with another of their class among the K nearest others, by distances."""
    squares = numpy.einsum("ij,ij->i", points, points)
    hits = numpy.zeros(len(ks))
    for start in range(0, len(points), options.chunk):
        rows = slice(start, start + options.chunk)
        distances = squares - 2 * (points[rows] @ points.T)
        own = numpy.arange(len(distances))
        distances[own, start + own] = numpy.inf
        nearest = numpy.argpartition(distances, max(ks), axis=1)[:, : max(ks)]
        order = numpy.argsort(numpy.take_along_axis(distances, nearest, 1), axis=1, kind="stable")
        same = labels[numpy.take_along_axis(nearest, order, 1)] == labels[rows, None]
        hits += [same[:, :k].any(axis=1).sum() for k in ks]
    return {str(k): float(hit / len(points)) for k, hit in zip(ks, hits)}


def nearest_of_drawn(points):
    """Row -> the nearest of k rows that are drawn."""
    drawn = points[numpy.random.default_rng(0).choice(len(points), options.k, replace=False)]
    squares = numpy.einsum("ij,ij->i", drawn, drawn)
    chunks = [points[start : start + options.chunk] for start in range(0, len(points), options.chunk)]
    return numpy.concatenate([numpy.argmin(squares - 2 * (rows @ drawn.T), axis=1) for rows in chunks])


def clustering(points):
    """The assignment and what is said of the k-means that found it."""
    if options.without_kmeans:
        return nearest_of_drawn(points), {}
    start = time.perf_counter()
    means = KMeans(n_clusters=options.k, n_init=1, random_state=0).fit(points)
    seconds = time.perf_counter() - start
    return means.labels_, {"iterations": int(means.n_iter_), "inertia": float(means.inertia_), "kmeansSeconds": seconds}


def main():
    points, labels = numpy.load(options.embeddings), numpy.load(options.labels)
    assignment, said = clustering(points)
    start = time.perf_counter()
    found = recall(points, labels, [int(k) for k in options.recall_at.split(",")])
    seconds = time.perf_counter() - start
    if options.assignment:
        numpy.save(options.assignment, assignment.astype(numpy.int32))
    nmi = float(normalized_mutual_info_score(labels, assignment))
    print(json.dumps({"nmi": nmi, "recallAt": found, "recallSeconds": seconds, **said}), flush=True)


main()
