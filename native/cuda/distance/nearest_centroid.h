// nearestCentroid on the device: as a contract, and between rows that are there already.
#pragma once

#include "../../contracts/distance/nearest_centroid.h"
#include "prepared_rows.h"

namespace eat::cuda {

void nearest_centroid(const Run& run, const NearestCentroid& p);

// Per point the label, the squared distance and the second-best squared distance; an empty `distances` or `seconds` is not wanted.
// Nothing waits for the device, so a graph may capture it.
void assign_on_device(Stream& stream, const PreparedRows& points, const PreparedRows& centroids, Span<std::int32_t> labels,
                      Span<float> distances, Span<float> seconds);

// The same for rows as they are: d values each, one after the other.
void assign_on_device(Stream& stream, Span<const float> points, index_t n, index_t d, Span<const float> centroids, index_t k,
                      Span<std::int32_t> labels, Span<float> distances, Span<float> seconds);

}  // namespace eat::cuda
