// Both gradients of a depthwise convolution, a band of output rows at a time: rows of the input and of
// the gradient pass through rings of their own, see depthwise.h.

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
