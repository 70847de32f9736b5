// pairwiseDistance on the device: as a contract, and between rows that are there already.
#pragma once

#include "../../contracts/distance/pairwise_distance.h"
#include "prepared_rows.h"

namespace eat::cuda {

void pairwise_distance(const Run& run, const PairwiseDistance& p);

// out [a.rows, b.rows]; nothing waits for the device.
void pairwise_on_device(Stream& stream, const PreparedRows& a, const PreparedRows& b, Metric metric, Span<float> out);

}  // namespace eat::cuda
