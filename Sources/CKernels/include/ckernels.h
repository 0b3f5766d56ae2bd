// CKernels: the arithmetic of the engine, portable C with vector extensions.
//
// Conventions: every count and stride is in elements, not bytes; matrices are row major; images are
// NHWC; nothing here allocates, except the thread pool. Kernels that read `B` of a product may read
// (never write) up to CK_SLACK elements behind its end, so such buffers need that much slack.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CK_SLACK 64

// ---- Threads ---------------------------------------------------------------------------------

typedef struct ck_pool ck_pool;
typedef void (*ck_task)(void *context, int64_t index);

// A pool of `threads` workers, the caller included; NULL if they can't be started.
ck_pool *ck_pool_create(int32_t threads);
void ck_pool_destroy(ck_pool *pool);
// Runs task(context, 0..<count) on the pool and returns when all are done. One caller at a time:
// a second caller, or a task that calls it again, runs its own tasks alone, in order.
void ck_pool_run(ck_pool *pool, int64_t count, ck_task task, void *context);

// ---- Instruction set -------------------------------------------------------------------------

// Name of the instruction set in use: "x86-64-v4", "x86-64-v3" or "baseline".
const char *ck_isa_name(void);
// Restricts the kernels to an instruction set (0 baseline, 1 v3, 2 v4), for tests. Returns the one
// in force, which is lower if the machine lacks it. Not for use while kernels run.
int32_t ck_isa_select(int32_t level);
int32_t ck_isa_level(void);

// ---- Activations -----------------------------------------------------------------------------

enum {
  CK_IDENTITY = 0,
  CK_RELU = 1,
  CK_RELU6 = 2,
  CK_HARD_SWISH = 3,    // x * relu6(x + 3) / 6
  CK_HARD_SIGMOID = 4,  // relu6(x + 3) / 6
  CK_SWISH = 5,         // x * sigmoid(x)
  CK_SIGMOID = 6,
  CK_TANH = 7,
  CK_GELU = 8,          // x * Phi(x), Phi by erf
};

// y[i] = f(x[i])
void ck_activation(int32_t kind, int64_t count, const float *x, float *y);
// dx[i] = g[i] * f'(x[i])
void ck_activation_gradient(int32_t kind, int64_t count, const float *x, const float *g, float *dx);
// y[i] = f''(x[i])
void ck_activation_second(int32_t kind, int64_t count, const float *x, float *y);
void ck_activation_reference(int32_t kind, int32_t order, int64_t count, const double *x, double *y);

// ---- Matrix products -------------------------------------------------------------------------

// C[m, n] (+)= A[m, k] B[k, n], then per column, in this order:
// sums += c, squares += c * c; c = c * scale + shift; c += residual; c = activation(c).
typedef struct {
  int64_t m, n, k;
  const float *a;
  int64_t lda;
  const float *b;
  int64_t ldb;
  float *c;
  int64_t ldc;
  int32_t accumulate;   // C += instead of C =
  int32_t activation;   // CK_*
  const float *scale;   // [n] or NULL
  const float *shift;   // [n] or NULL: a bias, if scale is NULL
  const float *residual;  // [m, n] or NULL, added before the activation
  int64_t ldr;
  double *sums;         // [n] or NULL
  double *squares;      // [n], with sums
} ck_gemm_args;

void ck_gemm(const ck_gemm_args *args);
// C[k, n] (+)= A[m, k]^T B[m, n] (weight gradients: a reduction over many rows).
void ck_gemm_tn(int64_t m, int64_t n, int64_t k, const float *a, int64_t lda, const float *b,
                int64_t ldb, float *c, int64_t ldc, int32_t accumulate);
void ck_gemm_reference(const ck_gemm_args *args);
void ck_gemm_tn_reference(int64_t m, int64_t n, int64_t k, const float *a, int64_t lda,
                          const float *b, int64_t ldb, float *c, int64_t ldc, int32_t accumulate);
// out[j, i] = in[i, j], in is [rows, columns]
void ck_transpose(int64_t rows, int64_t columns, const float *in, int64_t ldi, float *out,
                  int64_t ldo);

// ---- Elementwise -----------------------------------------------------------------------------

enum { CK_ADD = 0, CK_SUBTRACT = 1, CK_MULTIPLY = 2, CK_DIVIDE = 3, CK_MAXIMUM = 4, CK_MINIMUM = 5 };
enum {
  CK_NEGATE = 0,
  CK_EXP = 1,
  CK_LOG = 2,
  CK_SQRT = 3,
  CK_ABS = 4,
  CK_SIGN = 5,
  CK_RECIPROCAL = 6,
  CK_SQUARE = 7,
  CK_LOG1P_EXP = 8,  // softplus, log(1 + exp(x))
  CK_STEP = 9,       // 1 if x > 0 else 0
};

// y[i] = a[i * sa] op b[i * sb]; the strides are 0 (a scalar) or 1.
void ck_binary(int32_t op, int64_t count, const float *a, int64_t sa, const float *b, int64_t sb,
               float *y);
void ck_unary(int32_t op, int64_t count, const float *x, float *y);
// y[i] = x[i] * scale + offset
void ck_affine(int64_t count, const float *x, float scale, float offset, float *y);
// y[i] += alpha * x[i]
void ck_axpy(int64_t count, float alpha, const float *x, float *y);
double ck_sum(int64_t count, const float *x);
double ck_dot(int64_t count, const float *x, const float *y);
float ck_max(int64_t count, const float *x);
// sums[j] += sum over rows of x[i, j]
void ck_column_sums(int64_t rows, int64_t columns, const float *x, int64_t ldx, double *sums);

// y[i, :] = softmax(x[i, :]), or its logarithm
void ck_softmax(int64_t rows, int64_t columns, const float *x, float *y, int32_t logarithm);

// ---- Half precision --------------------------------------------------------------------------

void ck_half_to_float(int64_t count, const uint16_t *x, float *y);
void ck_float_to_half(int64_t count, const float *x, uint16_t *y);

#ifdef __cplusplus
}
#endif
