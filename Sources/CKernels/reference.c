// Plain versions of the kernels: what the fast ones are tested against, in double inside.
#include <math.h>

#include "ckernels.h"

static double value(int32_t kind, double x) {
  const double r6 = fmin(fmax(x + 3, 0), 6), s = 1 / (1 + exp(-x));
  switch (kind) {
    case CK_RELU: return fmax(x, 0);
    case CK_RELU6: return fmin(fmax(x, 0), 6);
    case CK_HARD_SWISH: return x * r6 / 6;
    case CK_HARD_SIGMOID: return r6 / 6;
    case CK_SWISH: return x * s;
    case CK_SIGMOID: return s;
    case CK_TANH: return tanh(x);
    case CK_GELU: return 0.5 * x * erfc(-x * M_SQRT1_2);
    default: return x;
  }
}

static double slope(int32_t kind, double x) {
  const double s = 1 / (1 + exp(-x)), t = tanh(x);
  switch (kind) {
    case CK_RELU: return x > 0;
    case CK_RELU6: return x > 0 && x < 6;
    case CK_HARD_SWISH: return x <= -3 ? 0 : (x < 3 ? x / 3 + 0.5 : 1);
    case CK_HARD_SIGMOID: return x > -3 && x < 3 ? 1.0 / 6 : 0;
    case CK_SWISH: return s + x * s * (1 - s);
    case CK_SIGMOID: return s * (1 - s);
    case CK_TANH: return 1 - t * t;
    case CK_GELU: return 0.5 * erfc(-x * M_SQRT1_2) + x * exp(-x * x / 2) / sqrt(2 * M_PI);
    default: return 1;
  }
}

static double curvature(int32_t kind, double x) {
  const double s = 1 / (1 + exp(-x)), t = tanh(x);
  switch (kind) {
    case CK_HARD_SWISH: return x > -3 && x < 3 ? 1.0 / 3 : 0;
    case CK_SWISH: return s * (1 - s) * (2 + x * (1 - 2 * s));
    case CK_SIGMOID: return s * (1 - s) * (1 - 2 * s);
    case CK_TANH: return -2 * t * (1 - t * t);
    case CK_GELU: return exp(-x * x / 2) / sqrt(2 * M_PI) * (2 - x * x);
    default: return 0;
  }
}

void ck_activation_reference(int32_t kind, int32_t order, int64_t count, const double *x,
                             double *y) {
  for (int64_t i = 0; i < count; i++) {
    y[i] = order == 0 ? value(kind, x[i]) : (order == 1 ? slope(kind, x[i]) : curvature(kind, x[i]));
  }
}

void ck_gemm_reference(const ck_gemm_args *g) {
  for (int64_t i = 0; i < g->m; i++) {
    for (int64_t j = 0; j < g->n; j++) {
      double s = g->accumulate ? g->c[i * g->ldc + j] : 0;
      for (int64_t p = 0; p < g->k; p++) s += (double)g->a[i * g->lda + p] * g->b[p * g->ldb + j];
      if (g->sums) g->sums[j] += s, g->squares[j] += s * s;
      if (g->scale) s *= g->scale[j];
      if (g->shift) s += g->shift[j];
      if (g->residual) s += g->residual[i * g->ldr + j];
      g->c[i * g->ldc + j] = (float)value(g->activation, s);
    }
  }
}

void ck_gemm_tn_reference(int64_t m, int64_t n, int64_t k, const float *a, int64_t lda,
                          const float *b, int64_t ldb, float *c, int64_t ldc, int32_t accumulate) {
  for (int64_t i = 0; i < k; i++) {
    for (int64_t j = 0; j < n; j++) {
      double s = accumulate ? c[i * ldc + j] : 0;
      for (int64_t p = 0; p < m; p++) s += (double)a[p * lda + i] * b[p * ldb + j];
      c[i * ldc + j] = (float)s;
    }
  }
}

static int64_t frame_at(const ck_frame *f, int64_t pixel, int64_t ky, int64_t kx) {
  const int64_t y = pixel / f->out_width, x = pixel % f->out_width;
  return ((y * f->stride_h + ky) * f->width + x * f->stride_w + kx) * f->channels;
}

// By way of the patch matrix, one output pixel at a time.
void ck_frame_product_reference(const ck_frame *f, const float *frame, const ck_gemm_args *args) {
  const int64_t k = f->kernel_w * f->channels;
  for (int64_t o = 0; o < f->out_height * f->out_width; o++) {
    float patch[f->kernel_h * k];
    for (int64_t i = 0; i < f->kernel_h * k; i++) {
      patch[i] = frame[frame_at(f, o, i / k, i % k / f->channels) + i % f->channels];
    }
    ck_gemm_args g = *args;
    g.m = 1, g.k = f->kernel_h * k, g.a = patch, g.lda = g.k, g.accumulate = 0;
    g.c += o * g.ldc;
    if (g.residual) g.residual += o * g.ldr;
    ck_gemm_reference(&g);
  }
}

void ck_frame_gradient_reference(const ck_frame *f, const float *frame, const float *gradient,
                                 int64_t n, float *dw) {
  const int64_t k = f->kernel_w * f->channels;
  for (int64_t i = 0; i < f->kernel_h * k; i++) {
    for (int64_t j = 0; j < n; j++) {
      double s = dw[i * n + j];
      for (int64_t o = 0; o < f->out_height * f->out_width; o++) {
        s += (double)frame[frame_at(f, o, i / k, i % k / f->channels) + i % f->channels] *
             gradient[o * n + j];
      }
      dw[i * n + j] = (float)s;
    }
  }
}

// A deferred value at an element.
static double source_at(const ck_source *s, int64_t at, int64_t channel) {
  double v = s->x[at];
  if (s->p) v = v * s->p[channel] + s->r[channel];
  if (s->p && s->z) v += (double)s->q[channel] * s->z[at];
  return value(s->activation, v) * (s->gate ? s->gate[channel] : 1);
}

// Position of the input pixel under a tap of an output pixel; -1 outside.
static int64_t under(const ck_window *w, int64_t oy, int64_t ox, int64_t ky, int64_t kx) {
  const int64_t iy = oy * w->stride_h - w->pad_top + ky * w->dilation_h;
  const int64_t ix = ox * w->stride_w - w->pad_left + kx * w->dilation_w;
  if (iy < 0 || iy >= w->height || ix < 0 || ix >= w->width) return -1;
  return (iy * w->width + ix) * w->channels;
}

// A weight of a tap in the packed layout.
static int64_t packed_at(const ck_window *w, int64_t tap, int64_t c) {
  return (c / CK_LANES * w->kernel_h * w->kernel_w + tap) * CK_LANES + c % CK_LANES;
}

void ck_depthwise_reference(const ck_depthwise_args *args) {
  const ck_window *w = args->window;
  for (int64_t o = 0; o < w->out_height * w->out_width; o++) {
    for (int64_t c = 0; c < w->channels; c++) {
      double s = 0;
      for (int64_t t = 0; t < w->kernel_h * w->kernel_w; t++) {
        const int64_t i =
            under(w, o / w->out_width, o % w->out_width, t / w->kernel_w, t % w->kernel_w);
        if (i >= 0) s += args->weight[packed_at(w, t, c)] * source_at(&args->in, i + c, c);
      }
      if (args->sums) args->sums[c] += s, args->squares[c] += s * s;
      if (args->scale) s = s * args->scale[c] + args->shift[c];
      args->out[o * w->channels + c] = (float)value(args->activation, s);
    }
  }
}

void ck_depthwise_gradient_reference(const ck_depthwise_gradient_args *args) {
  const ck_window *w = args->window;
  const int64_t taps = w->kernel_h * w->kernel_w;
  for (int64_t c = 0; c < w->channels; c++) {
    for (int64_t t = 0; t < taps && args->dw; t++) {
      double s = 0;
      for (int64_t o = 0; o < w->out_height * w->out_width; o++) {
        const int64_t i =
            under(w, o / w->out_width, o % w->out_width, t / w->kernel_w, t % w->kernel_w);
        if (i < 0) continue;
        s += source_at(&args->in, i + c, c) * source_at(&args->gradient, o * w->channels + c, c);
      }
      args->dw[packed_at(w, t, c)] += (float)s;
    }
    for (int64_t i = 0; i < w->height * w->width && args->dx; i++) {
      double s = 0;
      for (int64_t o = 0; o < w->out_height * w->out_width; o++) {
        for (int64_t t = 0; t < taps; t++) {
          const int64_t at =
              under(w, o / w->out_width, o % w->out_width, t / w->kernel_w, t % w->kernel_w);
          if (at != i * w->channels) continue;
          s += args->weight[packed_at(w, t, c)] *
               source_at(&args->gradient, o * w->channels + c, c);
        }
      }
      const ck_sink *k = &args->sink;
      if (k->z) {
        const double z = k->z[i * w->channels + c];
        s *= slope(k->activation, z * k->scale[c] + k->shift[c]);
        k->sums[c] += s;
        k->products[c] += s * z;
      }
      args->dx[i * w->channels + c] = (float)s;
    }
  }
}
