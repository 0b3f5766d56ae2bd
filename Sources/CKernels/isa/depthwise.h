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

// acc[j] += sum over kx < kw of w[kx] * p[(j * step + kx) pixels], undilated, w[kx] at distance
// wstep: each pixel is loaded once, the taps stay in registers. Loads would limit it otherwise.
CK_INLINE void FN(dw_slide)(const int count, const int kw, const int step, const float *p,
                            const float *w, const int64_t wstep, vec *acc) {
  vec taps[kw];
  UNROLL for (int x = 0; x < kw; x++) taps[x] = FN(load)(w + x * wstep);
  UNROLL for (int i = 0; i < (count - 1) * step + kw; i++) {
    const vec value = FN(load)(p + i * CK_LANES);
    UNROLL for (int x = 0; x < kw; x++) {
      const int j = (i - x) / step;
      if (i >= x && (i - x) % step == 0 && j < count) acc[j] += taps[x] * value;
    }
  }
}

CK_INLINE int64_t FN(dw_row_width)(const ck_window *w) {
  return (w->out_width - 1) * w->stride_w + (w->kernel_w - 1) * w->dilation_w + 1;
}

// A ring's slot less than one turn further on; a division would cost as much as a pixel.
CK_INLINE int64_t FN(dw_slot)(int64_t slot, int64_t size) {
  return slot >= size ? slot - size : slot;
}

CK_INLINE void FN(dw_zero)(float *to, int64_t pixels) {
  for (int64_t i = 0; i < pixels * CK_LANES; i += VW) FN(store)(to + i, (vec){0});
}

// Loads input row iy (zeros outside the image) of channels c0..<c0 + n into a padded row, and fetches
// the one `ahead` rows later. A pixel's lines of channels lie far apart in memory, which delivers
// lines that lie side by side three times as fast: so while the channels of one image are read, the
// next image is fetched, if there is `more`, from its first line to its last, and comes from the
// caches when its turn has come.
static void FN(dw_load)(const ck_window *w, const ck_source *in, int64_t iy, int64_t ahead,
                        int32_t more, int64_t c0, int64_t n, int64_t left, int64_t padded,
                        int64_t height, int64_t width, float *row) {
  if (iy < 0 || iy >= height) {
    FN(dw_zero)(row, padded);
    return;
  }
  int64_t lead = left < padded ? left : padded;
  int64_t count = padded - lead < width ? padded - lead : width;
  if (count < 0) count = 0;
  FN(dw_zero)(row, lead);
  const int64_t line = width * w->channels, offset = iy * line + c0;
  const int64_t near = offset + ahead * line;
  const int64_t far = more ? height * line + (c0 * height + iy * CK_LANES) * width : near;
  FN(source_lanes)(in, count, offset, near, far, n, w->channels, c0, row + lead * CK_LANES);
  FN(dw_zero)(row + (lead + count) * CK_LANES, padded - lead - count);
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

// A row of the result; kw is the kernel's width if it slides, 0 otherwise.
CK_INLINE void FN(dw_row)(const ck_window *w, const int kw, const int64_t step,
                          const float *const *ring, const float *weights, int v, FN(dw_out) * o) {
  const float *rows[w->kernel_h];
  int64_t ox = 0;
#define DW_STEP(count)                                                                           \
  for (; ox + count <= w->out_width; ox += count) {                                              \
    vec acc[count];                                                                              \
    for (int64_t k = 0; k < w->kernel_h; k++) rows[k] = ring[k] + ox * step * CK_LANES + v * VW;  \
    if (kw) {                                                                                    \
      UNROLL for (int j = 0; j < count; j++) acc[j] = (vec){0};                                  \
      for (int64_t k = 0; k < w->kernel_h; k++) {                                                \
        FN(dw_slide)(count, kw, (int)step, rows[k], weights + k * kw * CK_LANES + v * VW,        \
                     CK_LANES, acc);                                                             \
      }                                                                                          \
    } else {                                                                                     \
      FN(dw_tile)(count, step, rows, w->kernel_h, w->kernel_w, w->dilation_w, weights + v * VW,  \
                  acc);                                                                          \
    }                                                                                            \
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

static __attribute__((noinline)) void FN(dw_any_row)(const ck_window *w, const float *const *ring,
                                                     const float *weights, int v,
                                                     FN(dw_out) * o) {
  const int64_t width = w->dilation_w == 1 ? w->kernel_w : 0;
#define DW_ROW(kw, step) FN(dw_row)(w, kw, step, ring, weights, v, o)
  if (w->stride_w == 1) {
    if (width == 3) DW_ROW(3, 1);
    else if (width == 5) DW_ROW(5, 1);
    else if (width == 7) DW_ROW(7, 1);
    else DW_ROW(0, 1);
  } else if (w->stride_w == 2) {
    if (width == 3) DW_ROW(3, 2);
    else if (width == 5) DW_ROW(5, 2);
    else if (width == 7) DW_ROW(7, 2);
    else DW_ROW(0, 2);
  } else {
    DW_ROW(0, w->stride_w);
  }
#undef DW_ROW
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
  int64_t first = 0;           // slot of the window's first row
  for (int64_t oy = 0; oy < w->out_height; oy++) {
    const int64_t top = oy * w->stride_h - w->pad_top;
    if (next < top) next = top;
    for (; next < top + span; next++) {
      const int64_t slot = FN(dw_slot)(first + next - top, span);
      FN(dw_load)(w, &args->in, next, w->stride_h, args->more, c0, n, w->pad_left, padded, w->height,
                  w->width, ring + slot * padded * CK_LANES);
    }
    for (int64_t k = 0; k < w->kernel_h; k++) {
      const int64_t slot = FN(dw_slot)(first + k * w->dilation_h, span);
      rows[k] = ring + slot * padded * CK_LANES;
    }
    for (first += w->stride_h; first >= span;) first -= span;
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
      FN(dw_any_row)(w, rows, weights, v, &o);
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
    int64_t ox = 0;
    // Two neighbours read most of the same pixels: loads, not multiply-adds, are what limits this.
    if (step == 1 && dilation == 1) {
      for (; ox + 2 <= width; ox += 2) {
        const vec g = FN(load)(d + ox * CK_LANES), g2 = FN(load)(d + (ox + 1) * CK_LANES);
        UNROLL for (int r = 0; r < nrows; r++) {
          UNROLL for (int x = 0; x <= nkx; x++) {
            const vec value = FN(load)(row[r] + (ox + x) * CK_LANES);
            if (x < nkx) acc[r * nkx + x] += g * value;
            if (x > 0) acc[r * nkx + x - 1] += g2 * value;
          }
        }
      }
    }
    for (; ox < width; ox++) {
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
  int64_t *kxs, *offsets;  // of a sliding kernel, ascending and descending by one
} FN(dw_phase);

// Where a row of dx goes, and what it goes through: `from` is the sink's z there, or NULL.
typedef struct {
  float *to;
  const float *from;
  int64_t distance, n;  // of pixels, and valid channels
  int32_t activation, streamed;
  vec scale, shift, sum, product;
} FN(dw_back_out);

// Pixels of dx on their way out.
CK_INLINE void FN(dw_back_put)(FN(dw_back_out) * o, const int count, const int32_t kind,
                               const vec *acc) {
  vec sum = {0}, product = {0};
  UNROLL for (int j = 0; j < count; j++) {
    vec g = acc[j];
    if (o->from) {
      const vec z = FN(load)(o->from + j * o->distance);
      g *= FN(activate_slope)(kind, z * o->scale + o->shift);
      sum += g;
      product += g * z;
    }
    if (o->streamed) {
      FN(stream)(o->to + j * o->distance, g);
    } else {
      FN(store_n)(o->to + j * o->distance, g, o->n);
    }
  }
  o->sum += sum;
  o->product += product;
  o->to += count * o->distance;
  if (o->from) o->from += count * o->distance;
}

// The same for any activation, one by one.
static __attribute__((noinline)) void FN(dw_back_put_any)(FN(dw_back_out) * o, int64_t count,
                                                          const float *tile) {
  const int32_t kind = o->activation;
  for (int64_t j = 0; j < count; j++) {
    const vec g = FN(load)(tile + j * VW);
#define CK_RUN(k) FN(dw_back_put)(o, 1, k, &g);
    CK_KINDS(CK_RUN)
#undef CK_RUN
  }
}

// A row of dx's columns of one phase: a row correlation of the gradient's rows. kw is the kernel's
// width if it slides, 0 otherwise.
CK_INLINE void FN(dw_back_phase)(const ck_window *w, const int kw, const FN(dw_phase) * f,
                                 const float *const *rows, const int64_t *kys, int64_t count,
                                 const float *weights, FN(dw_back_out) * o) {
  float tile[DW_TILE * VW] __attribute__((aligned(64)));
  int64_t x = 0;
#define DW_BACK(size)                                                                     \
  for (; x + size <= f->width; x += size) {                                               \
    vec acc[size];                                                                        \
    UNROLL for (int j = 0; j < size; j++) acc[j] = (vec){0};                              \
    for (int64_t a = 0; a < count; a++) {                                                 \
      const float *wr = weights + kys[a] * w->kernel_w * CK_LANES;                        \
      const float *row = rows[a] + x * CK_LANES;                                          \
      if (kw) {                                                                           \
        FN(dw_slide)(size, kw, 1, row + f->offsets[kw - 1] * CK_LANES,                    \
                     wr + (kw - 1) * CK_LANES, -CK_LANES, acc);                           \
        continue;                                                                         \
      }                                                                                   \
      for (int64_t b = 0; b < f->taps; b++) {                                             \
        const vec wv = FN(load)(wr + f->kxs[b] * CK_LANES);                               \
        const float *p = row + f->offsets[b] * CK_LANES;                                  \
        UNROLL for (int j = 0; j < size; j++) acc[j] += wv * FN(load)(p + j * CK_LANES);  \
      }                                                                                   \
    }                                                                                     \
    switch (o->activation) {                                                              \
      case CK_IDENTITY: FN(dw_back_put)(o, size, CK_IDENTITY, acc); break;                \
      case CK_RELU: FN(dw_back_put)(o, size, CK_RELU, acc); break;                        \
      case CK_RELU6: FN(dw_back_put)(o, size, CK_RELU6, acc); break;                      \
      case CK_HARD_SWISH: FN(dw_back_put)(o, size, CK_HARD_SWISH, acc); break;            \
      default:                                                                            \
        UNROLL for (int j = 0; j < size; j++) FN(store)(tile + j * VW, acc[j]);           \
        FN(dw_back_put_any)(o, size, tile);                                               \
    }                                                                                     \
  }
  DW_BACK(DW_TILE)
#if DW_TILE > 8
  DW_BACK(8)
#endif
  DW_BACK(4)
  DW_BACK(1)
#undef DW_BACK
}

static void FN(dw_back_row)(const ck_depthwise_gradient_args *args, int64_t iy,
                            const float *const *rows, const int64_t *kys, int64_t count,
                            const FN(dw_phase) * phases, const float *weights, int64_t c0,
                            int64_t n, FN(dw_sums) * total) {
  const ck_window *w = args->window;
  const int64_t s = w->stride_w, width = s == 1 && w->dilation_w == 1 ? w->kernel_w : 0;
  const ck_sink *sink = &args->sink;
  const int64_t start = iy * w->width * w->channels + c0;
  for (int64_t phase = 0; phase < s; phase++) {
    UNROLL for (int v = 0; v < CK_LANES / VW; v++) {
      if (n <= v * VW) break;
      const int64_t at = start + phase * w->channels + v * VW;
      FN(dw_back_out) o = {.to = args->dx + at, .distance = s * w->channels, .n = n - v * VW,
                           .activation = sink->activation, .sum = total->sums[v],
                           .product = total->products[v]};
      o.streamed = args->streamed && n >= CK_LANES && FN(lines)(o.to) &&
                   w->channels % CK_LANES == 0;
      if (sink->z) {
        o.from = sink->z + at;
        o.scale = FN(load)(sink->scale + c0 + v * VW);
        o.shift = FN(load)(sink->shift + c0 + v * VW);
      }
      const float *shifted[count + 1];
      for (int64_t a = 0; a < count; a++) shifted[a] = rows[a] + v * VW;
#define DW_PHASE(kw) \
  FN(dw_back_phase)(w, kw, &phases[phase], shifted, kys, count, weights + v * VW, &o)
      if (width == 3) DW_PHASE(3);
      else if (width == 5) DW_PHASE(5);
      else if (width == 7) DW_PHASE(7);
      else DW_PHASE(0);
#undef DW_PHASE
      total->sums[v] = o.sum, total->products[v] = o.product;
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
    const int64_t dfirst = oy % dspan;
    for (int64_t y = oy; y < end; y++) {
      float *drow = dring + FN(dw_slot)(dfirst + y - oy, dspan) * dpadded * CK_LANES;
      FN(dw_load)(w, &args->gradient, y, band, args->more, c0, n, left, dpadded, w->out_height,
                  w->out_width, drow);
      ds[y - oy] = drow + left * CK_LANES;
    }
    if (dw) {
      const int64_t top = oy * sh - w->pad_top, bottom = (end - 1) * sh - w->pad_top + span;
      if (next < top) next = top;
      const int64_t first = oy * sh % ring_rows;
      for (; next < bottom; next++) {
        const int64_t slot = FN(dw_slot)(first + next - top, ring_rows);
        FN(dw_load)(w, &args->in, next, band * sh, args->more, c0, n, w->pad_left, padded, w->height,
                    w->width, ring + slot * padded * CK_LANES);
      }
      for (int64_t y = oy; y < end; y++) {
        for (int64_t k = 0; k < kh; k++) {
          const int64_t slot =
              FN(dw_slot)(first + (y - oy) * sh + k * w->dilation_h, ring_rows);
          rows[(y - oy) * kh + k] = ring + slot * padded * CK_LANES;
        }
      }
      for (int v = 0; v < CK_LANES / VW && n > v * VW; v++) {
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
        // y may lie before the band, by less than the ring holds.
        const int64_t slot = FN(dw_slot)(dfirst + y - oy + dspan, dspan);
        rows[count++] = dring + FN(dw_slot)(slot, dspan) * dpadded * CK_LANES;
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
