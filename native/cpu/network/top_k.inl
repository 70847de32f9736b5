// top_k: per row a heap of the k best, its worst on top; lanes that are not above that are passed over together.

struct Ranked {
  float value;
  std::int32_t column;
  bool operator<(const Ranked& o) const {  // ranks before o
    const bool nan = value != value, other = o.value != o.value;
    if (nan != other) return nan;
    if (!nan && value != o.value) return value > o.value;
    return column < o.column;
  }
};

inline void rank_row(const float* x, index_t cols, index_t k, Ranked* heap) {
  for (index_t c = 0; c < k; c++) heap[c] = {x[c], static_cast<std::int32_t>(c)};
  std::make_heap(heap, heap + k);
  const auto offer = [&](index_t c) {
    const Ranked candidate = {x[c], static_cast<std::int32_t>(c)};
    if (!(candidate < heap[0])) return;
    std::pop_heap(heap, heap + k);
    heap[k - 1] = candidate;
    std::push_heap(heap, heap + k);
  };
  index_t c = k;
  for (; c + W <= cols; c += W) {
    for (unsigned lanes = bits(mask_not(le(load(x + c), set1(heap[0].value)))); lanes != 0; lanes &= lanes - 1) {
      offer(c + __builtin_ctz(lanes));
    }
  }
  for (; c < cols; c++) offer(c);
  std::sort_heap(heap, heap + k);
}

inline void top_k(const Run& run, const TopK& p) {
  const index_t together = std::max<index_t>(1, kElementsPerTask / p.cols);
  parallel_for(run, ceil_div(p.rows, together), [&](index_t task) {
    const Buffer memory(static_cast<size_t>(p.k) * sizeof(Ranked));
    Ranked* heap = memory.as<Ranked>();
    for (index_t r = task * together; r < std::min(p.rows, (task + 1) * together); r++) {
      rank_row(p.x + r * p.cols, p.cols, p.k, heap);
      for (index_t i = 0; i < p.k; i++) {
        p.values[r * p.k + i] = heap[i].value;
        p.indices[r * p.k + i] = heap[i].column;
      }
    }
  });
}
