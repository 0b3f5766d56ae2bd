// IEEE 754 half precision, by integer arithmetic: exact one way, round to nearest even the other.
#include <string.h>

#include "ckernels.h"

void ck_half_to_float(int64_t count, const uint16_t *x, float *y) {
  for (int64_t i = 0; i < count; i++) {
    const uint32_t sign = (uint32_t)(x[i] & 0x8000) << 16, e = (x[i] >> 10) & 31, m = x[i] & 1023;
    uint32_t bits;
    if (e == 0) {
      const float v = (float)m * 0x1p-24f;  // zero or denormal
      memcpy(&bits, &v, 4);
    } else {
      bits = (e == 31 ? 255u << 23 : (e + 112) << 23) | m << 13;
    }
    bits |= sign;
    memcpy(y + i, &bits, 4);
  }
}

void ck_float_to_half(int64_t count, const float *x, uint16_t *y) {
  for (int64_t i = 0; i < count; i++) {
    uint32_t bits;
    memcpy(&bits, x + i, 4);
    const uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
    bits &= 0x7fffffff;
    uint32_t h;
    if (bits > 0x7f800000) {
      h = 0x7e00;  // NaN
    } else if (bits >= 0x477ff000) {
      h = 0x7c00;  // 65,520 and more round to infinity
    } else if (bits < 0x38800000) {
      float v;  // below 2^-14: a denormal; adding 0.5 rounds at its last place
      memcpy(&v, &bits, 4);
      v += 0.5f;
      memcpy(&h, &v, 4);
      h -= 0x3f000000;
    } else {
      h = (bits - 0x38000000 + 0xfff + (bits >> 13 & 1)) >> 13;
    }
    y[i] = sign | (uint16_t)h;
  }
}
