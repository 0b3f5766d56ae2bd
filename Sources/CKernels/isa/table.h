// The kernels that exist once for each instruction set.
#pragma once
#include "../include/ckernels.h"

typedef struct {
  const char *name;
  void (*gemm)(const ck_gemm_args *);
  void (*gemm_tn)(int64_t, int64_t, int64_t, const float *, int64_t, const float *, int64_t,
                  float *, int64_t, int32_t);
  void (*frame_product)(const ck_frame *, const float *, const ck_gemm_args *);
  void (*frame_gradient)(const ck_frame *, const float *, const float *, int64_t, float *);
  void (*activation)(int32_t, int64_t, const float *, float *);
  void (*activation_gradient)(int32_t, int64_t, const float *, const float *, float *);
  void (*activation_second)(int32_t, int64_t, const float *, float *);
  void (*binary)(int32_t, int64_t, const float *, int64_t, const float *, int64_t, float *);
  void (*unary)(int32_t, int64_t, const float *, float *);
  void (*affine)(int64_t, const float *, float, float, float *);
  void (*axpy)(int64_t, float, const float *, float *);
  double (*dot)(int64_t, const float *, const float *);
  float (*maximum)(int64_t, const float *);
  void (*column_sums)(int64_t, int64_t, const float *, int64_t, double *);
  void (*softmax)(int64_t, int64_t, const float *, float *, int32_t);
  void (*source_rows)(int64_t, int64_t, const ck_source *, int64_t, const float *, float *,
                      int64_t);
  void (*sink_rows)(int64_t, int64_t, const ck_sink *, const float *, int64_t, int64_t, float *,
                    int32_t);
  void (*moments)(int64_t, int64_t, const float *, double *, double *);
  void (*depthwise)(const ck_depthwise_args *, int64_t, int64_t, float *);
  void (*depthwise_gradient)(const ck_depthwise_gradient_args *, int64_t, int64_t, float *);
  double (*probe_fma)(int64_t, float *);
} ck_table;

#define CK_TABLE(isa)                                                                         \
  {                                                                                           \
    .name = isa, .gemm = FN(gemm), .gemm_tn = FN(gemm_tn),                                    \
    .frame_product = FN(frame_product), .frame_gradient = FN(frame_gradient),                 \
    .activation = FN(activation),                                                             \
    .activation_gradient = FN(activation_gradient),                                           \
    .activation_second = FN(activation_second), .binary = FN(binary), .unary = FN(unary),     \
    .affine = FN(affine), .axpy = FN(axpy), .dot = FN(dot), .maximum = FN(maximum),           \
    .column_sums = FN(column_sums), .softmax = FN(softmax),                                   \
    .source_rows = FN(source_rows), .sink_rows = FN(sink_rows), .moments = FN(moments),       \
    .depthwise = FN(depthwise), .depthwise_gradient = FN(depthwise_gradient),                 \
    .probe_fma = FN(probe_fma),                                                               \
  }

extern const ck_table ck_table_baseline;
#if defined(__x86_64__)
extern const ck_table ck_table_v3, ck_table_v4;
#endif
