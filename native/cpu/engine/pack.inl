// Packing: P rows of an operand become one panel dst[k * P + i], zero-padded, which the microkernel reads straight through.
// A panel of P < W rows is written by overlapping stores: dst needs W floats of slack behind it.

constexpr int NR = NV * W;
constexpr index_t KC = 512;  // depth of a packed block: a panel of it stays in L1 or L2

// dst[k * P + i] = rows[i][k] for k < length; rows from `count` on are zero.
template <int P>
inline void pack_rows(const float* const* rows, int count, index_t length, float* dst) {
  if (P * 2 < W) {
    for (int i = 0; i < P; i++) {
      for (index_t k = 0; k < length; k++) dst[k * P + i] = i < count ? rows[i][k] : 0.0f;
    }
    return;
  }
  for (int group = 0; group < P; group += W) {
    const int used = std::min(count - group, W);
    for (index_t k = 0; k < length; k += W) {
      const int depth = static_cast<int>(std::min<index_t>(W, length - k));
      F r[W];
      for (int i = 0; i < W; i++) {
        r[i] = i >= used ? zero() : depth == W ? load(rows[group + i] + k) : load_partial(rows[group + i] + k, depth);
      }
      transpose(r);
      for (int j = 0; j < depth; j++) store(dst + (k + j) * P + group, r[j]);
    }
  }
}

// dst[k * P + i] = src[k * stride + i] for k < length; i from `count` on is zero.
template <int P>
inline void pack_columns(const float* src, index_t stride, int count, index_t length, float* dst) {
  for (index_t k = 0; k < length; k++, src += stride, dst += P) {
    if (count == P && P * 2 >= W) {
      for (int i = 0; i < P; i += W) store(dst + i, P - i >= W ? load(src + i) : load_partial(src + i, P - i));
    } else {
      for (int i = 0; i < P; i++) dst[i] = i < count ? src[i] : 0.0f;
    }
  }
}

// An operand whose rows (the panel's index) are contiguous along k: element (i, k) = data[i * stride + k].
struct Rows {
  const float* data;
  index_t stride, count;

  const float* row(index_t i) const { return data + i * stride; }
  void fetch(index_t, index_t, index_t) const {}  // the processor sees by itself what is read along k

  template <int P>
  void pack(index_t first, index_t k0, index_t kc, float* dst) const {
    const float* rows[P];
    const int used = static_cast<int>(std::min<index_t>(P, count - first));
    for (int i = 0; i < used; i++) rows[i] = row(first + i) + k0;
    pack_rows<P>(rows, used, kc, dst);
  }
};

// Rows picked by an index: element (i, k) = data[index[i] * stride + k].
struct PickedRows {
  const float* data;
  index_t stride, count;
  const index_t* index;

  const float* row(index_t i) const { return data + index[i] * stride; }

  template <int P>
  void pack(index_t first, index_t k0, index_t kc, float* dst) const {
    const float* rows[P];
    const int used = static_cast<int>(std::min<index_t>(P, count - first));
    for (int i = 0; i < used; i++) rows[i] = row(first + i) + k0;
    pack_rows<P>(rows, used, kc, dst);
  }
};

inline void fetch_floats(const float* from, index_t count) {
  for (index_t i = 0; i < count; i += 16) __builtin_prefetch(from + i, 0, 2);
  __builtin_prefetch(from + count - 1, 0, 2);
}

// An operand stored along the panel's index: element (i, k) = data[k * stride + i].
struct Columns {
  const float* data;
  index_t stride, count;

  // Asks for elements [first, last) of one k, which will be packed soon.
  void fetch(index_t first, index_t last, index_t k) const { fetch_floats(data + k * stride + first, std::min(last, count) - first); }

  template <int P>
  void pack(index_t first, index_t k0, index_t kc, float* dst) const {
    const int used = static_cast<int>(std::min<index_t>(P, count - first));
    pack_columns<P>(data + k0 * stride + first, stride, used, kc, dst);
  }
};

// Columns picked by their places: element (i, k) = data[places[k] + i].
struct PickedColumns {
  const float* data;
  const index_t* places;
  index_t count;

  void fetch(index_t first, index_t last, index_t k) const { fetch_floats(data + places[k] + first, std::min(last, count) - first); }

  template <int P>
  void pack(index_t first, index_t k0, index_t kc, float* dst) const {
    const int used = static_cast<int>(std::min<index_t>(P, count - first));
    for (index_t k = 0; k < kc; k++) pack_columns<P>(data + places[k0 + k] + first, 0, used, 1, dst + k * P);
  }
};

inline index_t ceil_div(index_t a, index_t b) { return (a + b - 1) / b; }

// Thread-local memory that only grows; `slot` keeps the uses of one thread apart.
inline float* scratch(int slot, index_t floats) {
  static thread_local struct Slots {
    float* data[7] = {};
    size_t size[7] = {};
    ~Slots() { for (float* p : data) std::free(p); }
  } slots;
  const size_t bytes = (static_cast<size_t>(floats) * sizeof(float) + 63) / 64 * 64;
  if (slots.size[slot] < bytes) {
    std::free(slots.data[slot]);
    slots.size[slot] = 0;
    slots.data[slot] = static_cast<float*>(std::aligned_alloc(64, bytes));
    if (slots.data[slot] == nullptr) throw std::bad_alloc();
    slots.size[slot] = bytes;
  }
  return slots.data[slot];
}
