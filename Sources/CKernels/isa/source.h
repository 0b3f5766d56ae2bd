
// Deferred values: read through a source, written through a sink. Whole vectors are read even where
// fewer channels are left: buffers have slack behind them.

#define CK_KINDS(run)                                                                         \
  switch (kind) {                                                                             \
    case CK_RELU: run(CK_RELU) break;                                                         \
    case CK_RELU6: run(CK_RELU6) break;                                                       \
    case CK_HARD_SWISH: run(CK_HARD_SWISH) break;                                             \
    case CK_HARD_SIGMOID: run(CK_HARD_SIGMOID) break;                                         \
    case CK_SWISH: run(CK_SWISH) break;                                                       \
    case CK_SIGMOID: run(CK_SIGMOID) break;                                                   \
    case CK_TANH: run(CK_TANH) break;                                                         \
    case CK_GELU: run(CK_GELU) break;                                                         \
    default: run(CK_IDENTITY) break;                                                          \
  }

// `count` pixels, each `n` channels (at most 16) at distance ldx, to pixels of CK_LANES. Meanwhile
// those at `near` are fetched, lines too far apart for the hardware's prefetchers, and as many lines
// from `far` on, side by side.
CK_INLINE void FN(source_pixels)(const ck_source *s, const int32_t kind, int64_t count,
                                 int64_t offset, int64_t near, int64_t far, int64_t n,
                                 int64_t ldx, int64_t c0, float *out) {
  const float *x = s->x + offset, *z = s->z ? s->z + offset : NULL;
  const float *near_x = s->x + near, *near_z = z ? s->z + near : near_x;
  const float *far_x = s->x + far, *far_z = z ? s->z + far : far_x;
  const int affine = s->p != NULL, gated = s->gate != NULL;
  UNROLL for (int v = 0; v < CK_LANES / VW; v++) {
    const int64_t m = n - v * VW;
    vec p = {0}, q = {0}, r = {0}, gate = FN(splat)(1.0f);
    if (gated && m > 0) gate = FN(load)(s->gate + c0 + v * VW);
    if (affine && m > 0) {
      p = FN(load)(s->p + c0 + v * VW);
      r = FN(load)(s->r + c0 + v * VW);
      if (z) q = FN(load)(s->q + c0 + v * VW);
    }
    for (int64_t i = 0; i < count; i++) {
      const int64_t at = i * ldx + v * VW;
      if (v == 0) {
        __builtin_prefetch(near_x + at, 0, 2);
        __builtin_prefetch(far_x + i * CK_LANES, 0, 2);
        if (z) __builtin_prefetch(near_z + at, 0, 2);
        if (z) __builtin_prefetch(far_z + i * CK_LANES, 0, 2);
      }
      vec value = {0};
      if (m > 0) {
        value = FN(load)(x + at);
        if (affine) {
          value = value * p + r;
          if (z) value += q * FN(load)(z + at);
        }
        value = FN(activate)(kind, value);
      }
      if (gated) value *= gate;
      FN(store)(out + i * CK_LANES + v * VW, value);
    }
  }
}

static __attribute__((noinline)) void FN(source_lanes)(const ck_source *s, int64_t count,
                                                       int64_t offset, int64_t near, int64_t far,
                                                       int64_t n, int64_t ldx, int64_t c0,
                                                       float *out) {
  const int32_t kind = s->activation;
#define CK_RUN(k) FN(source_pixels)(s, k, count, offset, near, far, n, ldx, c0, out);
  CK_KINDS(CK_RUN)
#undef CK_RUN
}

// The pointers are copied out of the source: whatever is stored might change them otherwise.
CK_INLINE void FN(source_block)(const ck_source *s, const int32_t kind, const int mixed,
                                int64_t rows, int64_t channels, int64_t ldx, const float *other,
                                float *out, int64_t ldo) {
  const int dense = ldo == channels;
  const float *p = s->p, *q = s->q, *r = s->r, *gate = s->gate;
  for (int64_t i = 0; i < rows; i++) {
    const float *x = s->x + i * ldx, *z = mixed ? s->z + i * ldx : NULL;
    float *y = out + i * ldo;
    const float *o = other ? other + i * ldo : NULL;
    for (int64_t j = 0; j < channels; j += VW) {
      const int64_t n = channels - j;
      vec v = FN(load)(x + j);
      if (p) {
        v = v * FN(load)(p + j) + FN(load)(r + j);
        if (mixed) v += FN(load)(q + j) * FN(load)(z + j);
      }
      v = FN(activate)(kind, v);
      if (gate) v *= FN(load)(gate + j);
      if (o) v += FN(load)(o + j);
      if (dense && (rows - i) * channels - j >= VW) {
        FN(store)(y + j, v);  // what it spills into are the next rows, which follow
      } else {
        FN(store_n)(y + j, v, n);
      }
    }
  }
}

static void FN(source_rows)(int64_t rows, int64_t channels, const ck_source *s, int64_t ldx,
                            const float *other, float *out, int64_t ldo) {
  const int32_t kind = s->activation;
  if (s->z && kind == CK_IDENTITY) {
    FN(source_block)(s, CK_IDENTITY, 1, rows, channels, ldx, other, out, ldo);
    return;
  }
#define CK_RUN(k) FN(source_block)(s, k, s->z != NULL, rows, channels, ldx, other, out, ldo);
  CK_KINDS(CK_RUN)
#undef CK_RUN
}

// A block of at most 64 rows, a vector of channels at a time: sums stay in registers.
CK_INLINE void FN(sink_block)(const ck_sink *s, const int32_t kind, int64_t rows, int64_t channels,
                              const float *y, int64_t ldy, int64_t ldz, float *out,
                              int32_t streamed) {
  const int stores = kind != CK_IDENTITY || out != y;
  for (int64_t r0 = 0; r0 < rows; r0 += 64) {
    const int64_t r1 = rows - r0 < 64 ? rows : r0 + 64;
    for (int64_t j = 0; j < channels; j += VW) {
      const int64_t n = channels - j;
      vec sums = {0}, products = {0};
      const vec scale = FN(load)(s->scale + j), shift = FN(load)(s->shift + j);
      for (int64_t i = r0; i < r1; i++) {
        const vec z = FN(load)(s->z + i * ldz + j);
        vec g = FN(load)(y + i * ldy + j);
        g *= FN(activate_slope)(kind, z * scale + shift);
        if (streamed) {
          FN(stream)(out + i * ldz + j, g);
        } else if (stores) {
          FN(store_n)(out + i * ldz + j, g, n);
        }
        sums += g;
        products += g * z;
      }
      for (int64_t v = 0; v < VW && v < n; v++) {
        s->sums[j + v] += sums[v];
        s->products[j + v] += products[v];
      }
    }
  }
}

static void FN(sink_rows)(int64_t rows, int64_t channels, const ck_sink *s, const float *y,
                          int64_t ldy, int64_t ldz, float *out, int32_t streamed) {
  const int32_t kind = s->activation;
  streamed = streamed && FN(lines)(out) && ldz % VW == 0 && channels % VW == 0;
#define CK_RUN(k) FN(sink_block)(s, k, rows, channels, y, ldy, ldz, out, streamed);
  CK_KINDS(CK_RUN)
#undef CK_RUN
}

static void FN(moments)(int64_t rows, int64_t channels, const float *x, double *sums,
                        double *squares) {
  for (int64_t r0 = 0; r0 < rows; r0 += 64) {
    const int64_t r1 = rows - r0 < 64 ? rows : r0 + 64;
    for (int64_t j = 0; j < channels; j += VW) {
      const int64_t n = channels - j;
      vec s = {0}, q = {0};
      for (int64_t i = r0; i < r1; i++) {
        const vec v = FN(load)(x + i * channels + j);
        s += v;
        q += v * v;
      }
      for (int64_t v = 0; v < VW && v < n; v++) sums[j + v] += s[v], squares[j + v] += q[v];
    }
  }
}
