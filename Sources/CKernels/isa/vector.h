// Vector types and helpers, written once and compiled for each instruction set. The including file
// defines VW (floats in a vector) and FN(name) (the name with the instruction set's suffix).
#include "../include/ckernels.h"
#include <string.h>
#include <math.h>

#ifndef CK_INLINE
#define CK_INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")
#endif

// `vec` loads and stores unaligned; values live in the same type.
typedef float FN(vec) __attribute__((vector_size(VW * 4), aligned(4), may_alias));
typedef float FN(avec) __attribute__((vector_size(VW * 4), may_alias));
typedef int32_t FN(ivec) __attribute__((vector_size(VW * 4), aligned(4), may_alias));
typedef double FN(dvec) __attribute__((vector_size(VW * 8), aligned(8), may_alias));
#define vec FN(vec)
#define ivec FN(ivec)
#define dvec FN(dvec)

CK_INLINE vec FN(load)(const float *p) { return *(const vec *)p; }
CK_INLINE void FN(store)(float *p, vec v) { *(vec *)p = v; }
CK_INLINE vec FN(splat)(float s) { return (vec){0} + s; }

// The first n elements of a vector, the others 0; n may exceed VW.
CK_INLINE vec FN(load_n)(const float *p, int64_t n) {
  if (n >= VW) return *(const vec *)p;
  float t[VW] = {0};
  int64_t i = 0;
#if VW >= 16
  if (n & 8) memcpy(t, p, 32), i = 8;
#endif
#if VW >= 8
  if (n & 4) memcpy(t + i, p + i, 16), i += 4;
#endif
  if (n & 2) memcpy(t + i, p + i, 8), i += 2;
  if (n & 1) t[i] = p[i];
  return *(const vec *)t;
}
CK_INLINE void FN(store_n)(float *p, vec v, int64_t n) {
  if (n >= VW) {
    *(vec *)p = v;
    return;
  }
  float t[VW];
  *(vec *)t = v;
  int64_t i = 0;
#if VW >= 16
  if (n & 8) memcpy(p, t, 32), i = 8;
#endif
#if VW >= 8
  if (n & 4) memcpy(p + i, t + i, 16), i += 4;
#endif
  if (n & 2) memcpy(p + i, t + i, 8), i += 2;
  if (n & 1) p[i] = t[i];
}

// Stores a whole cache line past the caches, where that exists and the line is aligned.
CK_INLINE int FN(lines)(const float *p) { return VW == 16 && ((uintptr_t)p & 63) == 0; }
CK_INLINE void FN(stream)(float *p, vec v) {
#if defined(__clang__)
  __builtin_nontemporal_store(v, (FN(avec) *)p);
#else
  *(vec *)p = v;
#endif
}

CK_INLINE vec FN(select)(ivec mask, vec a, vec b) {
  return (vec)(((ivec)a & mask) | ((ivec)b & ~mask));
}
#if defined(__has_builtin) && __has_builtin(__builtin_elementwise_max)
CK_INLINE vec FN(max)(vec a, vec b) { return __builtin_elementwise_max(a, b); }
CK_INLINE vec FN(min)(vec a, vec b) { return __builtin_elementwise_min(a, b); }
#else
CK_INLINE vec FN(max)(vec a, vec b) { return FN(select)(a > b, a, b); }
CK_INLINE vec FN(min)(vec a, vec b) { return FN(select)(a < b, a, b); }
#endif
CK_INLINE float FN(hsum)(vec v) {
  float s = 0;
  UNROLL for (int i = 0; i < VW; i++) s += v[i];
  return s;
}
CK_INLINE float FN(hmax)(vec v) {
  float s = v[0];
  UNROLL for (int i = 1; i < VW; i++) s = v[i] > s ? v[i] : s;
  return s;
}

// exp: x = n ln 2 + r, |r| <= ln 2 / 2; a degree-6 polynomial for e^r (relative error below 2e-8
// before rounding); n enters the exponent in two halves so that the ends of the range are right.
CK_INLINE vec FN(exp)(vec x) {
  x = FN(min)(FN(max)(x, FN(splat)(-104.0f)), FN(splat)(89.0f));
  const float magic = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer
  vec n = (x * 1.44269504088896341f + magic) - magic;
  vec r = x - n * 0.693359375f;
  r = r + n * 2.12194440e-4f;
  vec p = FN(splat)(1.0f / 5040);
  p = p * r + 1.0f / 720;
  p = p * r + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  ivec k = __builtin_convertvector(n, ivec);
  ivec h = k >> 1;
  vec a = (vec)((h + 127) << 23), b = (vec)((k - h + 127) << 23);
  return p * a * b;
}

// log for positive x: x = m 2^e with m in [sqrt(1/2), sqrt(2)); log m = 2 atanh((m-1)/(m+1)).
CK_INLINE vec FN(log)(vec x) {
  vec denormal = (vec)((ivec)(x < 1.17549435e-38f));
  vec scaled = FN(select)((ivec)denormal, x * 8388608.0f, x);
  ivec bits = (ivec)scaled;
  ivec e = ((bits - 0x3f3504f3) >> 23);
  vec m = (vec)(bits - (e << 23));
  vec ef = __builtin_convertvector(e, vec);
  ef = FN(select)((ivec)denormal, ef - 23.0f, ef);
  vec t = (m - 1.0f) / (m + 1.0f), t2 = t * t;
  vec p = FN(splat)(2.0f / 9);
  p = p * t2 + 2.0f / 7;
  p = p * t2 + 2.0f / 5;
  p = p * t2 + 2.0f / 3;
  vec r = (p * t2) * t + 2.0f * t;
  r = ef * 0.693359375f + (r - ef * 2.12194440e-4f);
  const float inf = __builtin_inff();
  r = FN(select)(x == 0.0f, FN(splat)(-inf), r);
  r = FN(select)(x == inf, x, r);
  return FN(select)((ivec)((x < 0.0f) | (x != x)), FN(splat)(__builtin_nanf("")), r);
}

CK_INLINE vec FN(sigmoid)(vec x) { return 1.0f / (1.0f + FN(exp)(-x)); }
CK_INLINE vec FN(tanh)(vec x) {
  // (1 - e) / (1 + e) with e = exp(-2|x|); near 0 the odd series avoids the cancellation.
  vec a = FN(max)(x, -x);
  vec e = FN(exp)(-2.0f * a);
  vec big = (1.0f - e) / (1.0f + e);
  vec x2 = x * x;
  vec s = FN(splat)(62.0f / 2835);
  s = s * x2 - 17.0f / 315;
  s = s * x2 + 2.0f / 15;
  s = s * x2 - 1.0f / 3;
  vec small = a + a * x2 * s;
  vec r = FN(select)(a < 0.15f, small, big);
  return FN(select)(x < 0.0f, -r, r);
}

// The standard normal's distribution function Phi(x) = erfc(-x / sqrt 2) / 2, by Abramowitz and
// Stegun 7.1.26 (absolute error below 1.5e-7 in erf).
CK_INLINE vec FN(phi)(vec x) {
  vec z = FN(max)(x, -x) * 0.70710678118654752f;
  vec t = 1.0f / (1.0f + 0.3275911f * z);
  vec p = FN(splat)(1.061405429f);
  p = p * t - 1.453152027f;
  p = p * t + 1.421413741f;
  p = p * t - 0.284496736f;
  p = p * t + 0.254829592f;
  vec half = 0.5f * p * t * FN(exp)(-z * z);  // erfc(z) / 2
  return FN(select)(x < 0.0f, half, 1.0f - half);
}
CK_INLINE vec FN(normal_density)(vec x) {
  return 0.39894228040143268f * FN(exp)(-0.5f * x * x);
}

CK_INLINE vec FN(activate)(const int32_t kind, vec x) {
  const vec zero = {0};
  switch (kind) {
    case CK_RELU: return FN(max)(x, zero);
    case CK_RELU6: return FN(min)(FN(max)(x, zero), FN(splat)(6.0f));
    case CK_HARD_SWISH: return x * FN(min)(FN(max)(x + 3.0f, zero), FN(splat)(6.0f)) * (1.0f / 6);
    case CK_HARD_SIGMOID: return FN(min)(FN(max)(x + 3.0f, zero), FN(splat)(6.0f)) * (1.0f / 6);
    case CK_SWISH: return x * FN(sigmoid)(x);
    case CK_SIGMOID: return FN(sigmoid)(x);
    case CK_TANH: return FN(tanh)(x);
    case CK_GELU: return x * FN(phi)(x);
    default: return x;
  }
}

// f'(x). At the kinks the derivative is 0, as PyTorch has it (hard swish at 3: the inner slope).
CK_INLINE vec FN(activate_slope)(const int32_t kind, vec x) {
  const vec zero = {0}, one = FN(splat)(1.0f);
  switch (kind) {
    case CK_RELU: return FN(select)(x > 0.0f, one, zero);
    case CK_RELU6: return FN(select)((ivec)((x > 0.0f) & (x < 6.0f)), one, zero);
    case CK_HARD_SWISH: {
      vec inner = x * (1.0f / 3) + 0.5f;
      return FN(select)(x <= -3.0f, zero, FN(select)(x < 3.0f, inner, one));
    }
    case CK_HARD_SIGMOID:
      return FN(select)((ivec)((x > -3.0f) & (x < 3.0f)), FN(splat)(1.0f / 6), zero);
    case CK_SWISH: {
      vec s = FN(sigmoid)(x);
      return s + x * s * (1.0f - s);
    }
    case CK_SIGMOID: {
      vec s = FN(sigmoid)(x);
      return s * (1.0f - s);
    }
    case CK_TANH: {
      vec t = FN(tanh)(x);
      return 1.0f - t * t;
    }
    case CK_GELU: return FN(phi)(x) + x * FN(normal_density)(x);
    default: return one;
  }
}

// f''(x), almost everywhere.
CK_INLINE vec FN(activate_curvature)(const int32_t kind, vec x) {
  const vec zero = {0};
  switch (kind) {
    case CK_HARD_SWISH:
      return FN(select)((ivec)((x > -3.0f) & (x < 3.0f)), FN(splat)(1.0f / 3), zero);
    case CK_SWISH: {
      vec s = FN(sigmoid)(x), d = s * (1.0f - s);
      return d * (2.0f + x * (1.0f - 2.0f * s));
    }
    case CK_SIGMOID: {
      vec s = FN(sigmoid)(x);
      return s * (1.0f - s) * (1.0f - 2.0f * s);
    }
    case CK_TANH: {
      vec t = FN(tanh)(x);
      return -2.0f * t * (1.0f - t * t);
    }
    case CK_GELU: return FN(normal_density)(x) * (2.0f - x * x);
    default: return zero;
  }
}
