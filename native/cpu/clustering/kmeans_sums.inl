// Sums and counts by label, for the centroids of k-means. Where these are small, rows come in chunks; chunk c goes into part
// c % parts, the chunks of a part in their order, and parts are added in order. So the bits are the same whether a chunk is added
// by the assignment that still has its rows in cache, or all are added later, on any number of threads. Sums that do not stay in
// cache beside the assignment are built after it, by label (centroid_means.inl).

struct LabelSums {
  index_t n, k, d, chunk;
  index_t parts;  // 0: sums are too large for the assignment's pass
  std::vector<double> sums, counts;  // [k,d], [k]

  LabelSums(index_t n, index_t k, index_t d)
      : n(n), k(k), d(d), chunk(assign_rows(n, k, d)), parts(k * d <= index_t{1} << 16 ? 16 : 0),
        sums(static_cast<size_t>(k * d)), counts(static_cast<size_t>(k)), queues(static_cast<size_t>(parts)) {}

  // All sums 0, no chunk added.
  void start(const Run& run) {
    if (others == nullptr) others = std::make_unique<Buffer>(static_cast<size_t>((parts - 1) * k * d) * sizeof(double));
    for (index_t p = 0; p < parts; p++) queues[static_cast<size_t>(p)].reset(ceil_div(chunks() - p, parts));
    constexpr index_t block = 4096;
    parallel_for(run, ceil_div(k * d, block), [&](index_t task) {
      const index_t begin = task * block, end = std::min(k * d, begin + block);
      for (index_t p = 0; p < parts; p++) std::fill(part(p) + begin, part(p) + end, 0.0);
    });
  }

  // Chunk `c` has its labels. Adds it, if its turn has come, and those that waited for it; else whoever adds the one before
  // will. Called from tasks; never waits for another.
  void ready(index_t c, const float* points, const std::int32_t* labels) {
    Queue& queue = queues[static_cast<size_t>(c % parts)];
    std::unique_lock<std::mutex> lock(queue.mutex);
    queue.labelled[static_cast<size_t>(c / parts)] = 1;
    if (queue.busy) return;
    queue.busy = true;
    while (queue.next < queue.labelled.size() && queue.labelled[queue.next]) {
      const index_t turn = static_cast<index_t>(queue.next) * parts + c % parts;
      lock.unlock();
      add_chunk(turn, points, labels, 0, d);
      lock.lock();
      queue.next++;
    }
    queue.busy = false;
  }

  // After the last chunk: parts become one, and labels are counted.
  void finish(const Run& run, const std::int32_t* labels) {
    constexpr index_t block = 4096;
    parallel_for(run, ceil_div(k * d, block), [&](index_t task) {
      for (index_t p = 1; p < parts; p++) {
        const double* other = part(p);
        for (index_t e = task * block; e < std::min(k * d, (task + 1) * block); e++) sums[static_cast<size_t>(e)] += other[e];
      }
    });
    std::fill(counts.begin(), counts.end(), 0.0);
    for (index_t i = 0; i < n; i++) counts[static_cast<size_t>(labels[i])] += 1;
  }

  // All rows at once; tasks are parts and blocks of columns.
  void rebuild(const Run& run, const float* points, const std::int32_t* labels) {
    if (parts == 0) return label_sums(run, points, labels, nullptr, n, k, d, sums.data(), counts.data());
    start(run);
    constexpr index_t block = 128;
    const index_t blocks = ceil_div(d, block);
    parallel_for(run, parts * blocks, [&](index_t task) {
      const index_t j = task % blocks * block;
      for (index_t c = task / blocks; c < chunks(); c += parts) add_chunk(c, points, labels, j, std::min(block, d - j));
    });
    finish(run, labels);
  }

  // Moves the rows whose label changed from one sum to the other, in index order; tasks are blocks of columns.
  void move(const Run& run, const float* points, const std::int32_t* from, const std::int32_t* to) {
    std::vector<index_t> moved;
    for (index_t i = 0; i < n; i++) if (to[i] != from[i]) moved.push_back(i);
    for (const index_t i : moved) {
      counts[static_cast<size_t>(from[i])] -= 1;
      counts[static_cast<size_t>(to[i])] += 1;
    }
    constexpr index_t block = 128;
    parallel_for(run, ceil_div(d, block), [&](index_t task) {
      const index_t j = task * block, width = std::min(block, d - j);
      for (const index_t i : moved) {
        add_row(sums.data() + from[i] * d + j, points + i * d + j, width, -1);
        add_row(sums.data() + to[i] * d + j, points + i * d + j, width, 1);
      }
    });
  }

 private:
  struct Queue {
    std::mutex mutex;
    std::vector<char> labelled;
    size_t next = 0;
    bool busy = false;

    void reset(index_t chunks) {
      labelled.assign(static_cast<size_t>(std::max<index_t>(0, chunks)), 0);
      next = 0;
    }
  };
  std::vector<Queue> queues;
  std::unique_ptr<Buffer> others;  // parts 1 and up; part 0 is `sums`

  index_t chunks() const { return ceil_div(n, chunk); }
  double* part(index_t p) { return p == 0 ? sums.data() : others->as<double>() + (p - 1) * k * d; }

  // Columns [j, j + width) of one chunk's rows.
  void add_chunk(index_t c, const float* points, const std::int32_t* labels, index_t j, index_t width) {
    double* into = part(c % parts);
    for (index_t i = c * chunk; i < std::min(n, (c + 1) * chunk); i++) add_row(into + labels[i] * d + j, points + i * d + j, width, 1);
  }
};
