// Patch matrices (im2col) for dense and grouped convolutions, a block of rows at a time.
#include <string.h>

#include "ckernels.h"

void ck_patches(const ck_window *w, const ck_source *in, int64_t c0, int64_t n, int64_t r0,
                int64_t r1, float *out, int64_t ldo) {
  ck_source s = *in;
  if (s.p) s.p += c0, s.r += c0;
  if (s.q) s.q += c0;
  if (s.gate) s.gate += c0;
  for (int64_t r = r0; r < r1; r++, out += ldo) {
    const int64_t oy = r / w->out_width, ox = r % w->out_width;
    for (int64_t ky = 0; ky < w->kernel_h; ky++) {
      const int64_t iy = oy * w->stride_h - w->pad_top + ky * w->dilation_h;
      for (int64_t kx = 0; kx < w->kernel_w; kx++) {
        const int64_t ix = ox * w->stride_w - w->pad_left + kx * w->dilation_w;
        float *to = out + (ky * w->kernel_w + kx) * n;
        if (iy < 0 || iy >= w->height || ix < 0 || ix >= w->width) {
          memset(to, 0, (size_t)n * sizeof(float));
          continue;
        }
        const int64_t at = (iy * w->width + ix) * w->channels + c0;
        if (s.p) {
          ck_source one = s;
          one.x += at;
          if (one.z) one.z += at;
          ck_source_rows(1, n, &one, 0, to, 0);
        } else {
          memcpy(to, s.x + at, (size_t)n * sizeof(float));
        }
      }
    }
  }
}

void ck_patches_add(const ck_window *w, const float *patches, int64_t ldp, int64_t c0, int64_t n,
                    int64_t r0, int64_t r1, float *dx) {
  for (int64_t r = r0; r < r1; r++, patches += ldp) {
    const int64_t oy = r / w->out_width, ox = r % w->out_width;
    for (int64_t ky = 0; ky < w->kernel_h; ky++) {
      const int64_t iy = oy * w->stride_h - w->pad_top + ky * w->dilation_h;
      if (iy < 0 || iy >= w->height) continue;
      for (int64_t kx = 0; kx < w->kernel_w; kx++) {
        const int64_t ix = ox * w->stride_w - w->pad_left + kx * w->dilation_w;
        if (ix < 0 || ix >= w->width) continue;
        const float *from = patches + (ky * w->kernel_w + kx) * n;
        float *to = dx + (iy * w->width + ix) * w->channels + c0;
        for (int64_t c = 0; c < n; c++) to[c] += from[c];
      }
    }
  }
}
