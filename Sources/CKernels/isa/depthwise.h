// Depthwise convolution, 16 channels (one cache line) of one image at a time. Input rows pass
// through a ring of padded rows in scratch that stays in the first-level cache: there the deferred
// value is computed once per element, there are no borders, and every load is aligned. A tile of
// output pixels is then kept in registers while the taps pass.

#if VW == 16
#define DW_TILE 16
#else
#define DW_TILE 8
#endif

// acc[j] = sum over taps of w[tap] * rows[ky][(j * step + kx * dilation) pixels]
CK_INLINE void FN(dw_tile)(const int count, const int64_t step, const float *const *rows,
                           int64_t kh, int64_t kw, int64_t dilation, const float *w, vec *acc) {
  UNROLL for (int j = 0; j < count; j++) acc[j] = (vec){0};
  for (int64_t ky = 0; ky < kh; ky++) {
    const float *p = rows[ky];
    for (int64_t kx = 0; kx < kw; kx++) {
      const vec wv = FN(load)(w);
      UNROLL for (int j = 0; j < count; j++) acc[j] += wv * FN(load)(p + j * step * CK_LANES);
      p += dilation * CK_LANES;
      w += CK_LANES;
    }
  }
}

CK_INLINE int64_t FN(dw_row_width)(const ck_window *w) {
  return (w->out_width - 1) * w->stride_w + (w->kernel_w - 1) * w->dilation_w + 1;
}

// Loads input row iy (zeros outside the image) of channels c0..<c0 + n into a padded row.
static void FN(dw_load)(const ck_window *w, const ck_source *in, int64_t iy, int64_t c0, int64_t n,
                        int64_t left, int64_t padded, int64_t height, int64_t width, float *row) {
  if (iy < 0 || iy >= height) {
    memset(row, 0, (size_t)(padded * CK_LANES) * sizeof(float));
    return;
  }
  int64_t lead = left < padded ? left : padded;
  int64_t count = padded - lead < width ? padded - lead : width;
  if (count < 0) count = 0;
  memset(row, 0, (size_t)(lead * CK_LANES) * sizeof(float));
  FN(source_lanes)(in, count, iy * width * w->channels, c0, n, w->channels, row + lead * CK_LANES);
  const int64_t rest = padded - lead - count;
  memset(row + (lead + count) * CK_LANES, 0, (size_t)(rest * CK_LANES) * sizeof(float));
}

typedef struct {
  float *out;
  int64_t distance, n;  // of pixels, and valid channels
  vec scale, shift;
  int32_t scaled, statistics, streamed;
  vec sum, square;
} FN(dw_out);

CK_INLINE void FN(dw_put)(FN(dw_out) * o, const int count, vec *acc, int64_t ox, int v) {
  const int64_t n = o->n - v * VW;
  if (n <= 0) return;
  UNROLL for (int j = 0; j < count; j++) {
    vec a = acc[j];
    if (o->statistics) {
      o->sum += a;
      o->square += a * a;
    }
    if (o->scaled) a = a * o->scale + o->shift;
    if (o->streamed) {
      FN(stream)(o->out + (ox + j) * o->distance + v * VW, a);
      continue;
    }
    FN(store_n)(o->out + (ox + j) * o->distance + v * VW, a, n);
  }
}

CK_INLINE void FN(dw_row)(const ck_window *w, const int64_t step, const float *const *ring,
                          const float *weights, int v, FN(dw_out) * o) {
  const float *rows[w->kernel_h];
  vec acc[DW_TILE];
  int64_t ox = 0;
#define DW_STEP(count)                                                                           \
  for (; ox + count <= w->out_width; ox += count) {                                              \
    for (int64_t k = 0; k < w->kernel_h; k++) rows[k] = ring[k] + ox * step * CK_LANES + v * VW;  \
    FN(dw_tile)(count, step, rows, w->kernel_h, w->kernel_w, w->dilation_w, weights + v * VW,     \
                acc);                                                                            \
    FN(dw_put)(o, count, acc, ox, v);                                                            \
  }
  DW_STEP(DW_TILE)
#if DW_TILE > 8
  DW_STEP(8)
#endif
  DW_STEP(4)
  DW_STEP(1)
#undef DW_STEP
}

static void FN(pack_lanes)(const float *w, int64_t taps, int64_t ldw, int64_t n, float *out) {
  for (int64_t t = 0; t < taps; t++) {
    for (int64_t c = 0; c < CK_LANES; c++) out[t * CK_LANES + c] = c < n ? w[t * ldw + c] : 0;
  }
}

static void FN(depthwise)(const ck_depthwise_args *args, int64_t c0, int64_t n, float *scratch) {
  const ck_window *w = args->window;
  const int64_t span = (w->kernel_h - 1) * w->dilation_h + 1;  // rows a window touches
  const int64_t padded = FN(dw_row_width)(w);
  const int64_t taps = w->kernel_h * w->kernel_w;
  float *weights = scratch, *ring = scratch + taps * CK_LANES;
  FN(pack_lanes)(args->weight + c0, taps, args->ldw, n, weights);
  vec sums[CK_LANES / VW] = {{0}}, squares[CK_LANES / VW] = {{0}};
  const float *rows[w->kernel_h];
  int64_t next = -w->pad_top;  // first input row not loaded
  for (int64_t oy = 0; oy < w->out_height; oy++) {
    const int64_t top = oy * w->stride_h - w->pad_top;
    if (next < top) next = top;
    for (; next < top + span; next++) {
      const int64_t slot = (next + w->pad_top) % span;
      FN(dw_load)(w, &args->in, next, c0, n, w->pad_left, padded, w->height, w->width,
                  ring + slot * padded * CK_LANES);
    }
    for (int64_t k = 0; k < w->kernel_h; k++) {
      const int64_t slot = (top + k * w->dilation_h + w->pad_top) % span;
      rows[k] = ring + slot * padded * CK_LANES;
    }
    float *out = args->out + oy * w->out_width * w->channels + c0;
    UNROLL for (int v = 0; v < CK_LANES / VW; v++) {
      FN(dw_out) o = {.out = out, .distance = w->channels, .n = n,
                      .statistics = args->sums != NULL, .scaled = args->scale != NULL,
                      .streamed = args->streamed && n >= CK_LANES && FN(lines)(out) &&
                                  w->channels % CK_LANES == 0};
      if (n <= v * VW) break;
      o.sum = sums[v], o.square = squares[v];
      if (o.scaled) {
        o.scale = FN(load_n)(args->scale + c0 + v * VW, n - v * VW);
        o.shift = FN(load_n)(args->shift + c0 + v * VW, n - v * VW);
      }
      if (w->stride_w == 1) {
        FN(dw_row)(w, 1, rows, weights, v, &o);
      } else if (w->stride_w == 2) {
        FN(dw_row)(w, 2, rows, weights, v, &o);
      } else {
        FN(dw_row)(w, w->stride_w, rows, weights, v, &o);
      }
      sums[v] = o.sum, squares[v] = o.square;
    }
    if (args->activation != CK_IDENTITY) {
      for (int64_t x = 0; x < w->out_width; x++) {
        FN(activation)(args->activation, n, out + x * w->channels, out + x * w->channels);
      }
    }
  }
  if (args->sums) {
    for (int64_t c = 0; c < n; c++) {
      args->sums[c0 + c] += sums[c / VW][c % VW];
      args->squares[c0 + c] += squares[c / VW][c % VW];
    }
  }
}

// dw[r][kx] += sum over ox of X[rows[r], ox * step + kx * dilation] * d[ox]
CK_INLINE void FN(dw_taps)(const int nrows, const int nkx, const int64_t step, int64_t dilation,
                           int64_t width, const float *const *rows, const float *d, float *dw,
                           int64_t kw) {
  vec acc[nrows * nkx];
  UNROLL for (int r = 0; r < nrows; r++) {
    UNROLL for (int x = 0; x < nkx; x++) acc[r * nkx + x] = FN(load)(dw + (r * kw + x) * CK_LANES);
  }
  for (int64_t ox = 0; ox < width; ox++) {
    const vec g = FN(load)(d + ox * CK_LANES);
    UNROLL for (int r = 0; r < nrows; r++) {
      UNROLL for (int x = 0; x < nkx; x++) {
        acc[r * nkx + x] += g * FN(load)(rows[r] + (ox * step + x * dilation) * CK_LANES);
      }
    }
  }
  UNROLL for (int r = 0; r < nrows; r++) {
    UNROLL for (int x = 0; x < nkx; x++) FN(store)(dw + (r * kw + x) * CK_LANES, acc[r * nkx + x]);
  }
}

CK_INLINE void FN(dw_row_taps)(const ck_window *w, const int64_t step, const float *const *ring,
                               const float *d, float *dw, int v) {
  const float *rows[w->kernel_h];
  for (int64_t k = 0; k < w->kernel_h; k++) rows[k] = ring[k] + v * VW;
  const int64_t kw = w->kernel_w, dil = w->dilation_w;
  int64_t k = 0;
  d += v * VW, dw += v * VW;
#define DW_GROUP(nrows, nkx)                                                                \
  for (; k + nrows <= w->kernel_h; k += nrows) {                                            \
    FN(dw_taps)(nrows, nkx, step, dil, w->out_width, rows + k, d, dw + k * kw * CK_LANES, kw); \
  }
  if (kw == 3) {
    DW_GROUP(3, 3)
    DW_GROUP(1, 3)
  } else if (kw == 5) {
#if VW == 16
    DW_GROUP(5, 5)
#endif
    DW_GROUP(2, 5)
    DW_GROUP(1, 5)
  } else if (kw == 7) {
#if VW == 16
    DW_GROUP(3, 7)
#endif
    DW_GROUP(2, 7)
    DW_GROUP(1, 7)
  } else {
    for (; k < w->kernel_h; k++) {
      for (int64_t x = 0; x < kw; x++) {
        const float *row = rows[k] + x * dil * CK_LANES;
        FN(dw_taps)(1, 1, step, dil, w->out_width, &row, d, dw + (k * kw + x) * CK_LANES, kw);
      }
    }
  }
#undef DW_GROUP
}

typedef struct {
  vec sums[CK_LANES / VW], products[CK_LANES / VW];
} FN(dw_sums);

// A row of dx: for each phase of the stride, a row correlation of the gradient's rows.
static void FN(dw_back_row)(const ck_depthwise_gradient_args *args, int64_t iy,
                            const float *const *rows, const int64_t *kys, int64_t count,
                            int64_t left, const float *weights, int64_t c0, int64_t n,
                            FN(dw_sums) * total) {
  const ck_window *w = args->window;
  const int64_t s = w->stride_w;
  const ck_sink *sink = &args->sink;
  const int sinks = sink->z != NULL;
  float *out = args->dx + iy * w->width * w->channels + c0;
  const float *z = sinks ? sink->z + iy * w->width * w->channels + c0 : NULL;
  const int streamed =
      args->streamed && n >= CK_LANES && FN(lines)(out) && w->channels % CK_LANES == 0;
  vec acc[DW_TILE];
  for (int64_t phase = 0; phase < s; phase++) {
    // Taps of this phase, first the one that reads furthest to the right.
    int64_t kxs[w->kernel_w], offsets[w->kernel_w], taps = 0;
    for (int64_t kx = 0; kx < w->kernel_w; kx++) {
      const int64_t t = phase + w->pad_left - kx * w->dilation_w;
      if (((t % s) + s) % s == 0) {
        kxs[taps] = kx;
        offsets[taps++] = (t - ((t % s) + s) % s) / s + left;
      }
    }
    const int64_t width = (w->width - phase + s - 1) / s;
    UNROLL for (int v = 0; v < CK_LANES / VW; v++) {
      const int64_t m = n - v * VW;
      if (m <= 0) break;
      vec scale = {0}, shift = {0};
      if (sinks) {
        scale = FN(load_n)(sink->scale + c0 + v * VW, m);
        shift = FN(load_n)(sink->shift + c0 + v * VW, m);
      }
      int64_t j0 = 0;
      while (j0 < width) {
        int tile;
#define DW_BACK(size)                                                                       \
  tile = size;                                                                              \
  UNROLL for (int j = 0; j < size; j++) acc[j] = (vec){0};                                  \
  for (int64_t a = 0; a < count; a++) {                                                     \
    const float *wr = weights + kys[a] * w->kernel_w * CK_LANES + v * VW;                   \
    const float *row = rows[a] + j0 * CK_LANES + v * VW;                                    \
    for (int64_t b = 0; b < taps; b++) {                                                    \
      const vec wv = FN(load)(wr + kxs[b] * CK_LANES);                                      \
      const float *p = row + offsets[b] * CK_LANES;                                         \
      UNROLL for (int j = 0; j < size; j++) acc[j] += wv * FN(load)(p + j * CK_LANES);      \
    }                                                                                       \
  }
        if (width - j0 >= DW_TILE) {
          DW_BACK(DW_TILE)
        } else if (width - j0 >= 4) {
          DW_BACK(4)
        } else {
          DW_BACK(1)
        }
#undef DW_BACK
        for (int j = 0; j < tile; j++) {
          const int64_t at = ((j0 + j) * s + phase) * w->channels + v * VW;
          vec g = acc[j];
          if (sinks) {
            const vec zv = FN(load_n)(z + at, m);
            const vec y = zv * scale + shift;
            switch (sink->activation) {
              case CK_IDENTITY: break;
              case CK_RELU: g *= FN(activate_slope)(CK_RELU, y); break;
              case CK_RELU6: g *= FN(activate_slope)(CK_RELU6, y); break;
              case CK_HARD_SWISH: g *= FN(activate_slope)(CK_HARD_SWISH, y); break;
              case CK_HARD_SIGMOID: g *= FN(activate_slope)(CK_HARD_SIGMOID, y); break;
              case CK_SWISH: g *= FN(activate_slope)(CK_SWISH, y); break;
              case CK_SIGMOID: g *= FN(activate_slope)(CK_SIGMOID, y); break;
              case CK_TANH: g *= FN(activate_slope)(CK_TANH, y); break;
              default: g *= FN(activate_slope)(CK_GELU, y); break;
            }
            total->sums[v] += g;
            total->products[v] += g * zv;
          }
          if (streamed) {
            FN(stream)(out + at, g);
          } else {
            FN(store_n)(out + at, g, m);
          }
        }
        j0 += tile;
      }
    }
  }
}

static void FN(depthwise_gradient)(const ck_depthwise_gradient_args *args, int64_t c0, int64_t n,
                                   float *scratch) {
  const ck_window *w = args->window;
  const int64_t taps = w->kernel_h * w->kernel_w;
  const int64_t span = (w->kernel_h - 1) * w->dilation_h + 1;
  const int64_t padded = FN(dw_row_width)(w);
  // The gradient's rows: zeros left and right as far as any tap reaches.
  const int64_t left = ((w->kernel_w - 1) * w->dilation_w + w->stride_w - 1) / w->stride_w;
  const int64_t right = (w->width - 1 + w->pad_left) / w->stride_w + 1 - w->out_width;
  const int64_t dpadded = left + w->out_width + (right > 0 ? right : 0) + 1;
  const int64_t dspan = (w->kernel_h - 1) * w->dilation_h / w->stride_h + 2;
  float *weights = scratch;
  float *dw = weights + taps * CK_LANES;
  float *ring = dw + taps * CK_LANES;
  float *dring = ring + span * padded * CK_LANES;
  FN(pack_lanes)(args->weight + c0, taps, args->ldw, n, weights);
  memset(dw, 0, (size_t)(taps * CK_LANES) * sizeof(float));
  FN(dw_sums) total = {{{0}}, {{0}}};
  const float *rows[w->kernel_h];
  int64_t kys[w->kernel_h];
  int64_t next = -w->pad_top, emitted = 0;
  for (int64_t oy = 0; oy < w->out_height; oy++) {
    float *drow = dring + (oy % dspan) * dpadded * CK_LANES;
    FN(dw_load)(w, &args->gradient, oy, c0, n, left, dpadded, w->out_height, w->out_width, drow);
    if (args->dw) {
      const int64_t top = oy * w->stride_h - w->pad_top;
      if (next < top) next = top;
      for (; next < top + span; next++) {
        const int64_t slot = (next + w->pad_top) % span;
        FN(dw_load)(w, &args->in, next, c0, n, w->pad_left, padded, w->height, w->width,
                    ring + slot * padded * CK_LANES);
      }
      for (int64_t k = 0; k < w->kernel_h; k++) {
        rows[k] = ring + ((top + k * w->dilation_h + w->pad_top) % span) * padded * CK_LANES;
      }
      UNROLL for (int v = 0; v < CK_LANES / VW; v++) {
        if (n <= v * VW) break;
        if (w->stride_w == 1) {
          FN(dw_row_taps)(w, 1, rows, drow + left * CK_LANES, dw, v);
        } else if (w->stride_w == 2) {
          FN(dw_row_taps)(w, 2, rows, drow + left * CK_LANES, dw, v);
        } else {
          FN(dw_row_taps)(w, w->stride_w, rows, drow + left * CK_LANES, dw, v);
        }
      }
    }
    if (!args->dx) continue;
    const int last = oy == w->out_height - 1;
    while (emitted < w->height && (last || (emitted + w->pad_top) / w->stride_h <= oy)) {
      int64_t count = 0;
      for (int64_t ky = 0; ky < w->kernel_h; ky++) {
        const int64_t t = emitted + w->pad_top - ky * w->dilation_h;
        if (t < 0 || t % w->stride_h != 0 || t / w->stride_h >= w->out_height) continue;
        kys[count] = ky;
        rows[count++] = dring + ((t / w->stride_h) % dspan) * dpadded * CK_LANES;
      }
      FN(dw_back_row)(args, emitted, rows, kys, count, left, weights, c0, n, &total);
      emitted++;
    }
  }
  if (args->dw) {
    for (int64_t t = 0; t < taps; t++) {
      for (int64_t c = 0; c < n; c++) args->dw[t * args->lddw + c0 + c] += dw[t * CK_LANES + c];
    }
  }
  if (args->dx && args->sink.z) {
    for (int64_t c = 0; c < n; c++) {
      args->sink.sums[c0 + c] += total.sums[c / VW][c % VW];
      args->sink.products[c0 + c] += total.products[c / VW][c % VW];
    }
  }
}
#undef DW_TILE
