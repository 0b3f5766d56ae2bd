// CKernels: the arithmetic of the engine, portable C with vector extensions.
//
// Conventions: every count and stride is in elements, not bytes; matrices are row major; images are
// NHWC; nothing here allocates, except the thread pool and ck_allocate. Kernels may read (never
// write) up to CK_SLACK elements behind the end of any array, so buffers need that much slack.
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
// Restricts the calling thread's kernels to an instruction set (0 baseline, 1 v3, 2 v4; -1: what the
// processor has), for tests. Returns the one in force, which is lower if the machine lacks it.
int32_t ck_isa_select(int32_t level);

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
  int32_t streamed;     // store past the caches: for results that don't fit in them
  // What will be read next, or NULL: fetched into the cache meanwhile, ahead_count elements each.
  const float *ahead[2];
  int64_t ahead_count;
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

// A frame is an image copied between zeros, so that no window hangs over its edge. Rows of windows
// are undilated.
typedef struct {
  int64_t width, channels;  // of the frame, in pixels and floats a pixel
  int64_t out_height, out_width;
  int64_t kernel_h, kernel_w, stride_h, stride_w;
} ck_frame;

// Dense convolution of a frame: C[(y, x), n] = the window's pixels times B [(ky, kx, channel), n],
// finished as a product is. Of `args`, m, k, a, lda, accumulate and streamed don't count.
void ck_frame_product(const ck_frame *f, const float *frame, const ck_gemm_args *args);
// dw[(ky, kx, channel), n] += its gradient, from that of the result [(y, x), n].
void ck_frame_gradient(const ck_frame *f, const float *frame, const float *gradient, int64_t n,
                       float *dw);
void ck_frame_product_reference(const ck_frame *f, const float *frame, const ck_gemm_args *args);
void ck_frame_gradient_reference(const ck_frame *f, const float *frame, const float *gradient,
                                 int64_t n, float *dw);

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

// ---- Deferred values ---------------------------------------------------------------------------

// An array that is described, not stored: value = activation(p * x + q * z + r) * gate, with p, q, r
// and gate per channel. A normalised activation is activation(scale * x + shift); the gradient
// behind a batch norm is p * g + q * z + r; gates are those of squeeze and excite. Consumers read it
// through this and save a pass through memory.
typedef struct {
  const float *x;
  const float *z;  // or NULL
  const float *p, *q, *r;  // [channels]; p NULL: the value is x; q only with z
  int32_t activation;
  const float *gate;  // [channels] or NULL; only with p
} ck_source;

// What happens to the gradient of such a value on the way out: g = y * activation'(scale * z +
// shift), sums += g, products += g * z, per channel. z NULL: nothing, y stays.
typedef struct {
  const float *z;
  const float *scale, *shift;  // [channels]
  int32_t activation;
  double *sums, *products;  // [channels]
} ck_sink;

// out[i, j] = source[i, j] for rows x channels with row stride ldx (of x and z)
void ck_source_rows(int64_t rows, int64_t channels, const ck_source *source, int64_t ldx,
                    float *out, int64_t ldo);
// out[i, j] = sink of y[i, j]; y and z have the row strides ldy and ldz, out (perhaps y itself) ldz.
// `streamed` results go past the caches.
void ck_sink_rows(int64_t rows, int64_t channels, const ck_sink *sink, const float *y, int64_t ldy,
                  int64_t ldz, float *out, int32_t streamed);
// y = source + other: a residual connection to a normalised value
void ck_source_add(int64_t rows, int64_t channels, const ck_source *source, const float *other,
                   float *y);
// sums[j] += x[i, j], squares[j] += x[i, j]^2, float inside blocks of 64 rows
void ck_moments(int64_t rows, int64_t channels, const float *x, double *sums, double *squares);

// ---- Convolution ---------------------------------------------------------------------------------

typedef struct {
  int64_t height, width, channels;  // input image; channels is also the pixels' distance
  int64_t out_height, out_width;
  int64_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
  int64_t pad_top, pad_left;
} ck_window;

// Channels that a depthwise kernel handles at once.
#define CK_LANES 16

// Scratch floats that the depthwise kernels need, and output rows that the gradient does together.
int64_t ck_depthwise_scratch(const ck_window *w);
int64_t ck_depthwise_band(const ck_window *w);

// Depthwise weights [taps, channels] (row stride ldw) as the kernels read them: by groups of
// CK_LANES channels, [group, taps, CK_LANES], zeros behind the last channel; and back.
void ck_lanes_pack(int64_t taps, int64_t channels, const float *weight, int64_t ldw, float *out);
void ck_lanes_unpack(int64_t taps, int64_t channels, const float *packed, float *weight);

// One image, channels c0..<c0 + n (n <= CK_LANES): out[y, x, c] = sum of taps. The source's arrays
// start at the image, weight is packed (all groups); sums and squares as in a product; scale,
// shift (both or neither) and activation are applied to what is stored.
typedef struct {
  const ck_window *window;
  ck_source in;
  const float *weight;
  float *out;
  const float *scale, *shift;
  int32_t activation;
  int32_t streamed;  // store past the caches: for results that don't fit in them
  int32_t more;      // another image lies behind this one; it is fetched meanwhile
  double *sums, *squares;
} ck_depthwise_args;
void ck_depthwise(const ck_depthwise_args *args, int64_t c0, int64_t n, float *scratch);

// Both gradients of the same: dx[y, x, c] (NULL: not wanted) through the sink, and dw (NULL: not
// wanted), packed, added to.
typedef struct {
  const ck_window *window;
  ck_source in;
  ck_source gradient;  // of the output
  const float *weight;
  float *dx;
  int32_t streamed, more;  // dx, as above
  ck_sink sink;
  float *dw;
} ck_depthwise_gradient_args;
void ck_depthwise_gradient(const ck_depthwise_gradient_args *args, int64_t c0, int64_t n,
                           float *scratch);

// The same by definition, for all channels.
void ck_depthwise_reference(const ck_depthwise_args *args);
void ck_depthwise_gradient_reference(const ck_depthwise_gradient_args *args);

// Rows r0..<r1 of the patch matrix of an image: out[r - r0, (ky, kx, c)] for c0..<c0 + n, zeros
// outside; r counts output pixels.
void ck_patches(const ck_window *w, const ck_source *in, int64_t c0, int64_t n, int64_t r0,
                int64_t r1, float *out, int64_t ldo);
// The way back: adds rows of patch gradients to an image's gradient.
void ck_patches_add(const ck_window *w, const float *patches, int64_t ldp, int64_t c0, int64_t n,
                    int64_t r0, int64_t r1, float *dx);

// ---- Memory --------------------------------------------------------------------------------------

// Memory for `count` floats, aligned to 64 bytes; large ones in huge pages where the system has
// them (a strided walk through a batch otherwise misses the address cache at every step). NULL if
// there is none.
float *ck_allocate(int64_t count);
void ck_free(float *memory);

// ---- Probes --------------------------------------------------------------------------------------

// Runs independent multiply-adds for a while and returns their number of operations.
double ck_probe_fma(int64_t iterations, float *sink);

// ---- Half precision --------------------------------------------------------------------------

void ck_half_to_float(int64_t count, const uint16_t *x, float *y);
void ck_float_to_half(int64_t count, const float *x, uint16_t *y);

#ifdef __cplusplus
}
#endif
