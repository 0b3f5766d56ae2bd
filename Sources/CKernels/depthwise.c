// What depthwise kernels of all instruction sets share: the layout of weights and scratch.
#include <string.h>

#include "ckernels.h"

static int64_t row_width(const ck_window *w) {
  return (w->out_width - 1) * w->stride_w + (w->kernel_w - 1) * w->dilation_w + 1;
}

int64_t ck_depthwise_band(const ck_window *w) {
  // At most 24 KiB of input rows, in a first-level cache of 32 or 48. More than three output rows
  // only push the gradient's rows out of it.
  const int64_t span = (w->kernel_h - 1) * w->dilation_h + 1;
  const int64_t room = 24 * 1024 / (row_width(w) * CK_LANES * (int64_t)sizeof(float));
  int64_t band = (room - span) / w->stride_h + 1;
  if (room < span || band < 1) band = 1;
  if (band > 3) band = 3;
  return band < w->out_height ? band : w->out_height;
}

int64_t ck_depthwise_scratch(const ck_window *w) {
  const int64_t band = ck_depthwise_band(w);
  const int64_t rows = (w->kernel_h - 1) * w->dilation_h + 1 + (band - 1) * w->stride_h;
  const int64_t left = ((w->kernel_w - 1) * w->dilation_w + w->stride_w - 1) / w->stride_w;
  const int64_t right = (w->width - 1 + w->pad_left) / w->stride_w + 1 - w->out_width;
  const int64_t dpadded = left + w->out_width + (right > 0 ? right : 0) + 1;
  const int64_t dspan = (w->kernel_h - 1) * w->dilation_h / w->stride_h + 1 + band;
  return (rows * row_width(w) + dspan * dpadded) * CK_LANES;
}

// A call for each tap would cost a tenth of a small network.
typedef float line __attribute__((vector_size(CK_LANES * 4), aligned(4), may_alias));

void ck_lanes_pack(int64_t taps, int64_t channels, const float *weight, int64_t ldw, float *out) {
  for (int64_t c0 = 0; c0 < channels; c0 += CK_LANES) {
    const int64_t n = channels - c0;
    for (int64_t t = 0; t < taps; t++, out += CK_LANES) {
      const float *from = weight + t * ldw + c0;
      if (n >= CK_LANES) {
        *(line *)out = *(const line *)from;
      } else {
        memset(out, 0, CK_LANES * sizeof(float));
        memcpy(out, from, (size_t)n * sizeof(float));
      }
    }
  }
}

void ck_lanes_unpack(int64_t taps, int64_t channels, const float *packed, float *weight) {
  for (int64_t c0 = 0; c0 < channels; c0 += CK_LANES) {
    const int64_t n = channels - c0;
    for (int64_t t = 0; t < taps; t++, packed += CK_LANES) {
      float *to = weight + t * channels + c0;
      if (n >= CK_LANES) {
        *(line *)to = *(const line *)packed;
      } else {
        memcpy(to, packed, (size_t)n * sizeof(float));
      }
    }
  }
}
