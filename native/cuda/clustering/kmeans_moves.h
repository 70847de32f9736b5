// Empty clusters, on the host: which rows they take.
#pragma once

#include <vector>

#include "../../contracts/common.h"

namespace eat::cuda {

// A row that an empty cluster takes out of another.
struct Move {
  int row, from, to;
};

// Each empty cluster takes the point farthest from its centroid, farthest first, out of a cluster that keeps another; brings
// `count` up to date. `distance` and `label` are of n rows.
std::vector<Move> choose_moves(const double* distance, const std::int32_t* label, index_t n, std::vector<double>& count);

}  // namespace eat::cuda
