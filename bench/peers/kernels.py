"""faiss, scikit-learn and torch on the arrays of bench/peers.ts: draws them where ARRAYS lacks them, then times each case.

python kernels.py ARRAYS --threads 1|2 [--repeat 5]     one JSON line per case and implementation: the best seconds
needs: pip install numpy scikit-learn faiss-cpu torch
"""
import argparse, json, os, pathlib, time

arguments = argparse.ArgumentParser()
arguments.add_argument("arrays", type=pathlib.Path)
arguments.add_argument("--threads", type=int, default=2)
arguments.add_argument("--repeat", type=int, default=5)
options = arguments.parse_args()
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = str(options.threads)

import faiss
import numpy as np
import torch
from sklearn.cluster import KMeans
from sklearn.metrics import pairwise_distances_argmin

faiss.omp_set_num_threads(options.threads)
torch.set_num_threads(options.threads)
random = np.random.default_rng(7)


def draw(name, make):
    """The array of that name, made and written down the first time; drawing moves the generator either way."""
    path = options.arrays / f"{name}.npy"
    values = make()
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, values)
    return np.load(path)


def unit_rows(n, d, clusters=None):
    """Rows of length 1, clustered where `clusters` is given: what an embedding network gives."""
    x = random.standard_normal((n, d), dtype=np.float32)
    if clusters:
        x = 0.6 * x + random.standard_normal((clusters, d), dtype=np.float32)[random.integers(0, clusters, n)]
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def report(case, implementation, run):
    run()
    seconds = []
    for _ in range(options.repeat):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    print(json.dumps({"case": case, "implementation": implementation, "seconds": min(seconds)}), flush=True)


for d in (128, 512):
    x, y = draw(f"pairwise_{d}_x", lambda: unit_rows(8192, d)), draw(f"pairwise_{d}_y", lambda: unit_rows(8192, d))
    tx, ty = torch.from_numpy(x), torch.from_numpy(y)
    report(f"pairwiseDistance {d}", "faiss, fresh", lambda: faiss.pairwise_distances(x, y))
    report(f"pairwiseDistance {d}", "torch.cdist, fresh", lambda: torch.cdist(tx, ty))
    reused = np.empty((8192, 8192), np.float32)
    pointers = [faiss.swig_ptr(array) for array in (x, y, reused)]
    report(f"pairwiseDistance {d}", "faiss into out", lambda: faiss.pairwise_L2sqr(d, 8192, pointers[0], 8192, pointers[1], pointers[2]))
    del reused, pointers

for n, k, d in ((60000, 256, 128), (20000, 1000, 512)):
    x = draw(f"cluster_{d}", lambda: unit_rows(n, d, k))
    c = x[:k].copy()
    index = faiss.IndexFlatL2(d)
    index.add(c)
    report(f"nearestCentroid {d}", "faiss, fresh", lambda: index.search(x, 1))
    report(f"nearestCentroid {d}", "scikit-learn, fresh", lambda: pairwise_distances_argmin(x, c))
    lloyd = KMeans(k, init=c, n_init=1, max_iter=20, tol=0, algorithm="lloyd")
    report(f"kmeans {d}", "scikit-learn, fresh", lambda: lloyd.fit(x))

    def cluster(rounds=int(KMeans(k, init=c, n_init=1, max_iter=20, tol=0, algorithm="lloyd").fit(x).n_iter_)):
        """faiss has no early stop: as many iterations as scikit-learn took."""
        faiss.Kmeans(d, k, niter=rounds, max_points_per_centroid=10**9).train(x, init_centroids=c)

    report(f"kmeans {d}", "faiss, fresh", cluster)

origin = draw("images", lambda: random.random((64, 224 * 224 * 3), dtype=np.float32))
gradient = draw("gradient", lambda: random.standard_normal((64, 224 * 224 * 3), dtype=np.float32))
p, g = torch.from_numpy(origin), torch.from_numpy(gradient)
start = p.clone()
report("attackStep linf", "torch, fresh", lambda: torch.clamp(p + torch.clamp(start + 0.01 * g.sign() - p, -0.03, 0.03), 0, 1))
reused = torch.empty_like(p)


def step_into_reused():
    torch.sign(g, out=reused)
    reused.mul_(0.01).add_(start).sub_(p).clamp_(-0.03, 0.03).add_(p).clamp_(0, 1)


report("attackStep linf", "torch into out", step_into_reused)
