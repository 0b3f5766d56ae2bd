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
