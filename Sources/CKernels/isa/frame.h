// Dense convolution on frames by the tiles of the matrix product: the pixels under one row of the
// kernel lie one behind the other, so the taps of an output pixel are kernel_h stretches of the
// frame. No patch matrix, and each result is written once, finished.

enum { FN(FRAME_SUM) = 2048, FN(FRAME_CACHE) = 8192 };

static void FN(frame_product)(const ck_frame *w, const float *frame, const ck_gemm_args *g) {
  const int64_t k = w->kernel_w * w->channels, row = w->width * w->channels;
  const int64_t step = w->stride_w * w->channels;
  const int deferred = g->activation > CK_HARD_SIGMOID;
  // Rows whose sums are taken in float.
  int64_t block = FN(FRAME_SUM) / w->out_width;
  if (block < 1) block = 1;
  float partial[4 * VW];
  for (int64_t y0 = 0; y0 < w->out_height; y0 += block) {
    const int64_t y1 = w->out_height - y0 < block ? w->out_height : y0 + block;
    for (int64_t j = 0; j < g->n; j += 2 * VW) {
      const int64_t n = g->n - j < 2 * VW ? g->n - j : 2 * VW;
      memset(partial, 0, sizeof partial);
      for (int64_t y = y0; y < y1; y++) {
        const int64_t at = y * w->out_width;
        FN(finish) f = {.ldr = g->ldr, .activation = g->activation};
        f.scale = g->scale ? g->scale + j : NULL;
        f.shift = g->shift ? g->shift + j : NULL;
        f.residual = g->residual ? g->residual + at * g->ldr + j : NULL;
        f.sums = g->sums ? partial : NULL;
        f.squares = partial + 2 * VW;
        FN(nn_rows)(w->out_width, w->kernel_h, row - k, k, frame + y * w->stride_h * row, step,
                    g->b + j, g->ldb, g->c + at * g->ldc + j, g->ldc, n, &f);
      }
      for (int64_t v = 0; g->sums && v < n; v++) {
        g->sums[j + v] += partial[v];
        g->squares[j + v] += partial[2 * VW + v];
      }
    }
  }
  if (deferred) {
    FN(activate_rows)(g->activation, w->out_height * w->out_width, g->n, g->c, g->ldc);
  }
}

static void FN(frame_gradient)(const ck_frame *w, const float *frame, const float *gradient,
                               int64_t n, float *dw) {
  const int64_t k = w->kernel_w * w->channels, row = w->width * w->channels;
  const int64_t step = w->stride_w * w->channels;
  // Output rows that are summed up while their inputs stay in the first-level cache.
  int64_t block = FN(FRAME_CACHE) / (w->stride_h * row + w->out_width * n);
  if (block * w->out_width < 32) block = (32 + w->out_width - 1) / w->out_width;
  for (int64_t y0 = 0; y0 < w->out_height; y0 += block) {
    const int64_t rows = w->out_height - y0 < block ? w->out_height - y0 : block;
    for (int64_t ky = 0; ky < w->kernel_h; ky++) {
      for (int64_t j = 0; j < n; j += 2 * VW) {
        FN(finish) f = {.accumulate = 1};
        FN(tn_rows)(k, rows, w->stride_h * row - w->out_width * step, w->out_width,
                    frame + (y0 * w->stride_h + ky) * row, step,
                    gradient + y0 * w->out_width * n + j, n, dw + ky * k * n + j, n,
                    n - j < 2 * VW ? n - j : 2 * VW, &f);
      }
    }
  }
}
