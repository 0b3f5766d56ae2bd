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

// Loads input row iy (zeros outside the image) of channels c0..<c0 + n into a padded row, and
// fetches the one that is read `ahead` rows later: behind the last one come the next channels, and
// behind those the next image.
static void FN(dw_load)(const ck_window *w, const ck_source *in, int64_t iy, int64_t ahead,
                        int64_t c0, int64_t n, int64_t left, int64_t padded, int64_t height,
                        int64_t width, float *row) {
  if (iy < 0 || iy >= height) {
    memset(row, 0, (size_t)(padded * CK_LANES) * sizeof(float));
    return;
  }
  int64_t lead = left < padded ? left : padded;
  int64_t count = padded - lead < width ? padded - lead : width;
  if (count < 0) count = 0;
  memset(row, 0, (size_t)(lead * CK_LANES) * sizeof(float));
  const int64_t line = width * w->channels;
  int64_t distance = ahead * line;
  if (iy + ahead >= height) {
    distance -= height * line - CK_LANES;
    if (c0 + CK_LANES >= w->channels) distance += height * line - c0 - CK_LANES;
  }
  FN(source_lanes)(in, count, iy * line + c0, distance, n, w->channels, c0, row + lead * CK_LANES);
  const int64_t rest = padded - lead - count;
  memset(row + (lead + count) * CK_LANES, 0, (size_t)(rest * CK_LANES) * sizeof(float));
}

typedef struct {
  float *out;
  int64_t distance, n;  // of pixels, and valid channels
  vec scale, shift;
  int32_t scaled, statistics, streamed, activation;
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
    switch (o->activation) {
      case CK_RELU: a = FN(activate)(CK_RELU, a); break;
      case CK_RELU6: a = FN(activate)(CK_RELU6, a); break;
      case CK_HARD_SWISH: a = FN(activate)(CK_HARD_SWISH, a); break;
      default: break;  // the dear ones follow in a pass of their own
    }
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

static void FN(depthwise)(const ck_depthwise_args *args, int64_t c0, int64_t n, float *scratch) {
  const ck_window *w = args->window;
  const int64_t span = (w->kernel_h - 1) * w->dilation_h + 1;  // rows a window touches
  const int64_t padded = FN(dw_row_width)(w);
  const int64_t taps = w->kernel_h * w->kernel_w;
  const float *weights = args->weight + c0 * taps;
  float *ring = scratch;
  vec sums[CK_LANES / VW] = {{0}}, squares[CK_LANES / VW] = {{0}};
  const float *rows[w->kernel_h];
  int64_t next = -w->pad_top;  // first input row not loaded
  for (int64_t oy = 0; oy < w->out_height; oy++) {
    const int64_t top = oy * w->stride_h - w->pad_top;
    if (next < top) next = top;
    for (; next < top + span; next++) {
      const int64_t slot = (next + w->pad_top) % span;
      FN(dw_load)(w, &args->in, next, w->stride_h, c0, n, w->pad_left, padded, w->height, w->width,
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
                      .activation = args->activation,
                      .streamed = args->streamed && n >= CK_LANES && FN(lines)(out) &&
                                  w->channels % CK_LANES == 0};
      if (n <= v * VW) break;
      o.sum = sums[v], o.square = squares[v];
      if (o.scaled) {
        o.scale = FN(load)(args->scale + c0 + v * VW);
        o.shift = FN(load)(args->shift + c0 + v * VW);
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
    if (args->activation > CK_HARD_SWISH) {
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

// dw[r][kx] += sum over ys, ox of X[ys][rows[r], ox * step + kx * dilation] * d[ys][ox]: the
// accumulators stay in registers over a band of output rows.
CK_INLINE void FN(dw_taps)(const int nrows, const int nkx, const int64_t step, int64_t dilation,
                           int64_t width, int64_t band, const float *const *rows, int64_t kh,
                           const float *const *ds, int64_t at, int64_t shift, float *dw,
                           int64_t kw) {
  vec acc[nrows * nkx];
  UNROLL for (int r = 0; r < nrows; r++) {
    UNROLL for (int x = 0; x < nkx; x++) acc[r * nkx + x] = FN(load)(dw + (r * kw + x) * CK_LANES);
  }
  for (int64_t y = 0; y < band; y++) {
    const float *d = ds[y] + at;
    const float *row[nrows];
    UNROLL for (int r = 0; r < nrows; r++) row[r] = rows[y * kh + r] + at + shift;
    for (int64_t ox = 0; ox < width; ox++) {
      const vec g = FN(load)(d + ox * CK_LANES);
      UNROLL for (int r = 0; r < nrows; r++) {
        UNROLL for (int x = 0; x < nkx; x++) {
          acc[r * nkx + x] += g * FN(load)(row[r] + (ox * step + x * dilation) * CK_LANES);
        }
      }
    }
  }
  UNROLL for (int r = 0; r < nrows; r++) {
    UNROLL for (int x = 0; x < nkx; x++) FN(store)(dw + (r * kw + x) * CK_LANES, acc[r * nkx + x]);
  }
}

// `rows` holds, for each of the band's output rows, the kernel_h input rows under it.
CK_INLINE void FN(dw_band_taps)(const ck_window *w, const int64_t step, int64_t band,
                                const float *const *rows, const float *const *ds, float *dw,
                                int v) {
  const int64_t kw = w->kernel_w, kh = w->kernel_h, dil = w->dilation_w;
  int64_t k = 0;
  dw += v * VW;
#define DW_GROUP(nrows, nkx)                                                                 \
  for (; k + nrows <= kh; k += nrows) {                                                      \
    FN(dw_taps)(nrows, nkx, step, dil, w->out_width, band, rows + k, kh, ds, v * VW, 0,      \
                dw + k * kw * CK_LANES, kw);                                                 \
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
    for (; k < kh; k++) {
      for (int64_t x = 0; x < kw; x++) {
        FN(dw_taps)(1, 1, step, dil, w->out_width, band, rows + k, kh, ds, v * VW,
                    x * dil * CK_LANES, dw + (k * kw + x) * CK_LANES, kw);
      }
    }
  }
#undef DW_GROUP
}

typedef struct {
  vec sums[CK_LANES / VW], products[CK_LANES / VW];
} FN(dw_sums);

// Columns of a row of dx that are `phase` modulo the stride: taps and where each one starts.
typedef struct {
  int64_t taps, width;
  int64_t *kxs, *offsets;
} FN(dw_phase);

// A row of dx: for each phase of the stride, a row correlation of the gradient's rows.
static void FN(dw_back_row)(const ck_depthwise_gradient_args *args, int64_t iy,
                            const float *const *rows, const int64_t *kys, int64_t count,
                            const FN(dw_phase) * phases, const float *weights, int64_t c0,
                            int64_t n, FN(dw_sums) * total) {
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
    const FN(dw_phase) *f = &phases[phase];
    const int64_t width = f->width;
    UNROLL for (int v = 0; v < CK_LANES / VW; v++) {
      const int64_t m = n - v * VW;
      if (m <= 0) break;
      vec scale = {0}, shift = {0};
      if (sinks) {
        scale = FN(load)(sink->scale + c0 + v * VW);
        shift = FN(load)(sink->shift + c0 + v * VW);
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
    for (int64_t b = 0; b < f->taps; b++) {                                                 \
      const vec wv = FN(load)(wr + f->kxs[b] * CK_LANES);                                   \
      const float *p = row + f->offsets[b] * CK_LANES;                                      \
      UNROLL for (int j = 0; j < size; j++) acc[j] += wv * FN(load)(p + j * CK_LANES);      \
    }                                                                                       \
  }
        if (width - j0 >= DW_TILE) {
          DW_BACK(DW_TILE)
#if DW_TILE > 8
        } else if (width - j0 >= 8) {
          DW_BACK(8)
#endif
        } else if (width - j0 >= 4) {
          DW_BACK(4)
        } else {
          DW_BACK(1)
        }
#undef DW_BACK
        const int32_t kind = sink->activation;
        float *to = out + (j0 * s + phase) * w->channels + v * VW;
        const float *from = sinks ? z + (j0 * s + phase) * w->channels + v * VW : NULL;
        const int64_t distance = s * w->channels;
#define CK_RUN(k)                                                          \
  for (int j = 0; j < tile; j++) {                                         \
    vec g = acc[j];                                                        \
    if (sinks) {                                                           \
      const vec zv = FN(load)(from + j * distance);                   \
      g *= FN(activate_slope)(k, zv * scale + shift);                      \
      total->sums[v] += g;                                                 \
      total->products[v] += g * zv;                                        \
    }                                                                      \
    if (streamed) {                                                        \
      FN(stream)(to + j * distance, g);                                    \
    } else {                                                               \
      FN(store_n)(to + j * distance, g, m);                                \
    }                                                                      \
  }
        CK_KINDS(CK_RUN)
#undef CK_RUN
        j0 += tile;
      }
    }
  }
}

static void FN(depthwise_gradient)(const ck_depthwise_gradient_args *args, int64_t c0, int64_t n,
                                   float *scratch) {
  const ck_window *w = args->window;
  const int64_t kh = w->kernel_h, kw = w->kernel_w, sh = w->stride_h, sw = w->stride_w;
  const int64_t span = (kh - 1) * w->dilation_h + 1;
  const int64_t padded = FN(dw_row_width)(w);
  // Output rows that are done together: as many as the ring of input rows has room for.
  const int64_t band = ck_depthwise_band(w);
  const int64_t ring_rows = span + (band - 1) * sh;
  // The gradient's rows: zeros left and right as far as any tap reaches.
  const int64_t left = ((kw - 1) * w->dilation_w + sw - 1) / sw;
  const int64_t right = (w->width - 1 + w->pad_left) / sw + 1 - w->out_width;
  const int64_t dpadded = left + w->out_width + (right > 0 ? right : 0) + 1;
  const int64_t dspan = (kh - 1) * w->dilation_h / sh + 1 + band;
  const float *weights = args->weight + c0 * kh * kw;
  float *dw = args->dw ? args->dw + c0 * kh * kw : NULL;
  float *ring = scratch;
  float *dring = ring + ring_rows * padded * CK_LANES;
  FN(dw_sums) total = {{{0}}, {{0}}};
  const float *rows[kh * band], *ds[band];
  int64_t kys[kh];
  int64_t kxs[sw * kw], offsets[sw * kw];
  FN(dw_phase) phases[sw];
  for (int64_t phase = 0; phase < sw; phase++) {
    FN(dw_phase) *f = &phases[phase];
    *f = (FN(dw_phase)){0, (w->width - phase + sw - 1) / sw, kxs + phase * kw, offsets + phase * kw};
    for (int64_t kx = 0; kx < kw; kx++) {
      const int64_t t = phase + w->pad_left - kx * w->dilation_w, rest = ((t % sw) + sw) % sw;
      if (rest != 0) continue;
      f->kxs[f->taps] = kx;
      f->offsets[f->taps++] = t / sw + left;
    }
  }
  int64_t next = -w->pad_top, emitted = 0;
  for (int64_t oy = 0; oy < w->out_height; oy += band) {
    const int64_t end = w->out_height - oy < band ? w->out_height : oy + band;
    for (int64_t y = oy; y < end; y++) {
      float *drow = dring + (y % dspan) * dpadded * CK_LANES;
      FN(dw_load)(w, &args->gradient, y, band, c0, n, left, dpadded, w->out_height, w->out_width,
                  drow);
      ds[y - oy] = drow + left * CK_LANES;
    }
    if (dw) {
      const int64_t top = oy * sh - w->pad_top, bottom = (end - 1) * sh - w->pad_top + span;
      if (next < top) next = top;
      for (; next < bottom; next++) {
        const int64_t slot = (next + w->pad_top) % ring_rows;
        FN(dw_load)(w, &args->in, next, band * sh, c0, n, w->pad_left, padded, w->height, w->width,
                    ring + slot * padded * CK_LANES);
      }
      for (int64_t y = oy; y < end; y++) {
        for (int64_t k = 0; k < kh; k++) {
          rows[(y - oy) * kh + k] =
              ring + ((y * sh + k * w->dilation_h) % ring_rows) * padded * CK_LANES;
        }
      }
      UNROLL for (int v = 0; v < CK_LANES / VW; v++) {
        if (n <= v * VW) break;
        if (sw == 1) {
          FN(dw_band_taps)(w, 1, end - oy, rows, ds, dw, v);
        } else if (sw == 2) {
          FN(dw_band_taps)(w, 2, end - oy, rows, ds, dw, v);
        } else {
          FN(dw_band_taps)(w, sw, end - oy, rows, ds, dw, v);
        }
      }
    }
    if (!args->dx) continue;
    const int last = end == w->out_height;
    while (emitted < w->height && (last || (emitted + w->pad_top) / sh < end)) {
      int64_t count = 0;
      for (int64_t ky = 0; ky < kh; ky++) {
        const int64_t t = emitted + w->pad_top - ky * w->dilation_h;
        if (t < 0) break;
        const int64_t y = sh == 1 ? t : t / sh;
        if (y * sh != t || y >= w->out_height) continue;
        kys[count] = ky;
        rows[count++] = dring + (y % dspan) * dpadded * CK_LANES;
      }
      FN(dw_back_row)(args, emitted, rows, kys, count, phases, weights, c0, n, &total);
      emitted++;
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
