// What k-means knows of every row from the last assignment (Hamerly 2010): the distance to its own centroid, and a bound below
// the distances to all others. After centroids moved, this tells the rows that keep their label, those that only a centroid
// which moved far can take, and those that any can take.

constexpr double kDown = 1 - 1e-12, kUp = 1 + 1e-12;  // against the rounding of bounds in double

// For at least two centroids.
struct DistanceBounds {
  const Run& run;
  index_t n, k, d;
  std::vector<double> lower;  // by row: no other centroid is nearer than this (a distance, not squared)
  std::vector<double> own;    // by row: the squared distance to its centroid

  struct Doubt {
    std::vector<index_t> far;      // centroids that moved far
    std::vector<index_t> settled;  // rows that only these can take
    std::vector<index_t> open;     // rows that any centroid can take
  };

  DistanceBounds(const Run& run, index_t n, index_t k, index_t d)
      : run(run), n(n), k(k), d(d), lower(static_cast<size_t>(n)), own(static_cast<size_t>(n)), nearer(static_cast<size_t>(n)),
        room(static_cast<size_t>(n)) {}

  // The bounds are about these centroids from now on.
  void set(const float* centroids) { before.assign(centroids, centroids + k * d); }

  // Brings `own` up to date, and `lower` for all but the far centroids. An open row will cost as much as `price` * k distances.
  Doubt doubt(const float* points, const float* centroids, const std::int32_t* labels, double price) {
    measure_moves(centroids);
    measure_rooms(points, centroids, labels);
    const Split split = best_split(labels, price);
    Doubt result;
    result.far.assign(order.begin(), order.begin() + split.far);
    std::sort(result.far.begin(), result.far.end());
    for (index_t i = 0; i < n; i++) {
      const size_t at = static_cast<size_t>(i);
      const double most = largest_of_others(labels[i]);
      if (room[at] > most) {
        lower[at] = lower[at] * kDown - most;
      } else if (room[at] > split.near || (split.near == 0 && nearer[at])) {
        lower[at] = lower[at] * kDown - split.near;
        result.settled.push_back(i);
      } else {
        result.open.push_back(i);
      }
    }
    return result;
  }

 private:
  struct Split {
    index_t far;  // how many centroids of `order` count as far
    double near;  // how far the others moved at most
  };
  std::vector<float> before;    // the centroids that `own` and `lower` are about
  std::vector<double> moves;    // by centroid: how far it moved
  std::vector<index_t> order;   // centroids, those that moved farthest first
  std::vector<char> nearer;     // by row: its own centroid is no farther than before
  std::vector<double> room;     // by row: how far other centroids may move before one can be nearer than its own

  double largest_of_others(index_t label) const {
    return moves[static_cast<size_t>(order[order[0] == label ? 1 : 0])];
  }

  void measure_moves(const float* centroids) {
    moves.resize(static_cast<size_t>(k));
    order.resize(static_cast<size_t>(k));
    constexpr index_t block = 64;
    parallel_for(run, ceil_div(k, block), [&](index_t task) {
      for (index_t j = task * block; j < std::min(k, (task + 1) * block); j++) {
        order[static_cast<size_t>(j)] = j;
        moves[static_cast<size_t>(j)] = std::sqrt(squared_difference(before.data() + j * d, centroids + j * d, d)) * kUp;
      }
    });
    std::sort(order.begin(), order.end(), [this](index_t a, index_t b) {
      const double x = moves[static_cast<size_t>(a)], y = moves[static_cast<size_t>(b)];
      return x > y || (x == y && a < b);
    });
  }

  void measure_rooms(const float* points, const float* centroids, const std::int32_t* labels) {
    constexpr index_t block = 1024;
    parallel_for(run, ceil_div(n, block), [&](index_t task) {
      for (index_t i = task * block; i < std::min(n, (task + 1) * block); i++) {
        const size_t at = static_cast<size_t>(i);
        const double last = own[at];
        if (moves[static_cast<size_t>(labels[i])] > 0) own[at] = squared_difference(points + i * d, centroids + labels[i] * d, d);
        nearer[at] = own[at] <= last;
        room[at] = lower[at] * kDown - std::sqrt(own[at]) * kUp;
      }
    });
  }

  // The cheapest number of far centroids, counted in distances: rows that can be settled look at these alone, the others at all.
  Split best_split(const std::int32_t* labels, double price) const {
    const index_t moved = std::count_if(moves.begin(), moves.end(), [](double move) { return move > 0; });
    std::vector<Split> splits{{0, moves[static_cast<size_t>(order[0])]}};
    for (const index_t far : {k / 64, k / 32, k / 16, k / 8, k / 4, moved}) {
      if (far <= splits.back().far || far > std::min(moved, k / 2)) continue;
      splits.push_back({far, far == moved ? 0 : moves[static_cast<size_t>(order[static_cast<size_t>(far)])]});
    }
    std::vector<index_t> settled(splits.size(), 0);
    for (index_t i = 0; i < n; i++) {
      const size_t at = static_cast<size_t>(i);
      if (room[at] > largest_of_others(labels[i])) continue;
      for (size_t s = 1; s < splits.size(); s++) settled[s] += room[at] > splits[s].near || (splits[s].near == 0 && nearer[at]);
    }
    size_t best = 0;
    double most = 0;
    for (size_t s = 1; s < splits.size(); s++) {
      const double spared = static_cast<double>(settled[s]) * (price * static_cast<double>(k) - static_cast<double>(splits[s].far));
      if (spared > most) most = spared, best = s;
    }
    return splits[best];
  }
};
