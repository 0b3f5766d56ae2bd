// Chooses the instruction set once and forwards to its kernels.
#include <stdatomic.h>
#include <string.h>

#include "isa/table.h"

static int32_t best(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") ||
      !__builtin_cpu_supports("bmi2")) {
    return 0;
  }
  if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512vl") ||
      !__builtin_cpu_supports("avx512bw") || !__builtin_cpu_supports("avx512dq")) {
    return 1;
  }
  return 2;
#else
  return 0;
#endif
}

static const ck_table *at(int32_t level) {
#if defined(__x86_64__)
  if (level >= 2) return &ck_table_v4;
  if (level == 1) return &ck_table_v3;
#endif
  (void)level;
  return &ck_table_baseline;
}

// Written by whoever comes first, always with the same value.
static _Atomic(const ck_table *) chosen;
// A thread's own choice, for tests.
static _Thread_local const ck_table *own;

static const ck_table *table(void) {
  if (own) return own;
  const ck_table *t = atomic_load_explicit(&chosen, memory_order_relaxed);
  if (!t) {
    t = at(best());
    atomic_store_explicit(&chosen, t, memory_order_relaxed);
  }
  return t;
}

int32_t ck_isa_select(int32_t level) {
  const int32_t top = best(), l = level > top ? top : level;
  own = level < 0 ? NULL : at(l);
  return l;
}
const char *ck_isa_name(void) { return table()->name; }

void ck_gemm(const ck_gemm_args *args) { table()->gemm(args); }
void ck_gemm_tn(int64_t m, int64_t n, int64_t k, const float *a, int64_t lda, const float *b,
                int64_t ldb, float *c, int64_t ldc, int32_t accumulate) {
  table()->gemm_tn(m, n, k, a, lda, b, ldb, c, ldc, accumulate);
}
void ck_frame_product(const ck_frame *f, const float *frame, const ck_gemm_args *args) {
  table()->frame_product(f, frame, args);
}
void ck_frame_gradient(const ck_frame *f, const float *frame, const float *gradient, int64_t n,
                       float *dw) {
  table()->frame_gradient(f, frame, gradient, n, dw);
}
void ck_activation(int32_t kind, int64_t count, const float *x, float *y) {
  table()->activation(kind, count, x, y);
}
void ck_activation_gradient(int32_t kind, int64_t count, const float *x, const float *g,
                            float *dx) {
  table()->activation_gradient(kind, count, x, g, dx);
}
void ck_activation_second(int32_t kind, int64_t count, const float *x, float *y) {
  table()->activation_second(kind, count, x, y);
}
void ck_binary(int32_t op, int64_t count, const float *a, int64_t sa, const float *b, int64_t sb,
               float *y) {
  table()->binary(op, count, a, sa, b, sb, y);
}
void ck_unary(int32_t op, int64_t count, const float *x, float *y) {
  table()->unary(op, count, x, y);
}
void ck_affine(int64_t count, const float *x, float scale, float offset, float *y) {
  table()->affine(count, x, scale, offset, y);
}
void ck_axpy(int64_t count, float alpha, const float *x, float *y) {
  table()->axpy(count, alpha, x, y);
}
double ck_sum(int64_t count, const float *x) { return table()->dot(count, x, NULL); }
double ck_dot(int64_t count, const float *x, const float *y) { return table()->dot(count, x, y); }
float ck_max(int64_t count, const float *x) { return table()->maximum(count, x); }
void ck_column_sums(int64_t rows, int64_t columns, const float *x, int64_t ldx, double *sums) {
  table()->column_sums(rows, columns, x, ldx, sums);
}
void ck_softmax(int64_t rows, int64_t columns, const float *x, float *y, int32_t logarithm) {
  table()->softmax(rows, columns, x, y, logarithm);
}

typedef float quad __attribute__((vector_size(16), aligned(4), may_alias));

// Four rows of four to four columns.
static inline void transpose_quad(const float *in, int64_t ldi, float *out, int64_t ldo) {
  const quad a = *(const quad *)in, b = *(const quad *)(in + ldi);
  const quad c = *(const quad *)(in + 2 * ldi), d = *(const quad *)(in + 3 * ldi);
  const quad ab = __builtin_shufflevector(a, b, 0, 4, 1, 5);
  const quad cd = __builtin_shufflevector(c, d, 0, 4, 1, 5);
  const quad ef = __builtin_shufflevector(a, b, 2, 6, 3, 7);
  const quad gh = __builtin_shufflevector(c, d, 2, 6, 3, 7);
  *(quad *)out = __builtin_shufflevector(ab, cd, 0, 1, 4, 5);
  *(quad *)(out + ldo) = __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
  *(quad *)(out + 2 * ldo) = __builtin_shufflevector(ef, gh, 0, 1, 4, 5);
  *(quad *)(out + 3 * ldo) = __builtin_shufflevector(ef, gh, 2, 3, 6, 7);
}

void ck_transpose(int64_t rows, int64_t columns, const float *in, int64_t ldi, float *out,
                  int64_t ldo) {
  enum { BLOCK = 16 };
  for (int64_t i0 = 0; i0 < rows; i0 += BLOCK) {
    const int64_t i1 = rows - i0 < BLOCK ? rows : i0 + BLOCK;
    for (int64_t j0 = 0; j0 < columns; j0 += BLOCK) {
      const int64_t j1 = columns - j0 < BLOCK ? columns : j0 + BLOCK;
      int64_t j = j0;
      for (; j + 4 <= j1; j += 4) {
        int64_t i = i0;
        for (; i + 4 <= i1; i += 4) transpose_quad(in + i * ldi + j, ldi, out + j * ldo + i, ldo);
        for (; i < i1; i++) {
          for (int64_t l = j; l < j + 4; l++) out[l * ldo + i] = in[i * ldi + l];
        }
      }
      for (; j < j1; j++) {
        for (int64_t i = i0; i < i1; i++) out[j * ldo + i] = in[i * ldi + j];
      }
    }
  }
}

void ck_source_rows(int64_t rows, int64_t channels, const ck_source *source, int64_t ldx,
                    float *out, int64_t ldo) {
  table()->source_rows(rows, channels, source, ldx, NULL, out, ldo);
}
void ck_source_add(int64_t rows, int64_t channels, const ck_source *source, const float *other,
                   float *y) {
  table()->source_rows(rows, channels, source, channels, other, y, channels);
}
void ck_sink_rows(int64_t rows, int64_t channels, const ck_sink *sink, const float *y, int64_t ldy,
                  int64_t ldz, float *out, int32_t streamed) {
  table()->sink_rows(rows, channels, sink, y, ldy, ldz, out, streamed);
}
void ck_moments(int64_t rows, int64_t channels, const float *x, double *sums, double *squares) {
  table()->moments(rows, channels, x, sums, squares);
}
void ck_depthwise(const ck_depthwise_args *args, int64_t c0, int64_t n, float *scratch) {
  table()->depthwise(args, c0, n, scratch);
}
void ck_depthwise_gradient(const ck_depthwise_gradient_args *args, int64_t c0, int64_t n,
                           float *scratch) {
  table()->depthwise_gradient(args, c0, n, scratch);
}
double ck_probe_fma(int64_t iterations, float *sink) {
  return table()->probe_fma(iterations, sink);
}
