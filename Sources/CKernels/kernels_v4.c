// x86-64-v4: 512-bit vectors, 32 registers. The features are listed one by one because naming the
// level makes the compiler prefer 256-bit vectors.
#if defined(__x86_64__)
#define VW 16
#define MR 12
#define FN(name) name##_v4
#if defined(__clang__)
#pragma clang attribute push(                                                        \
    __attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,avx512cd,avx2,fma,bmi,bmi2,f16c"), \
                   min_vector_width(512))),                                          \
    apply_to = function)
#else
#pragma GCC target("avx512f,avx512vl,avx512bw,avx512dq,avx512cd,avx2,fma,bmi,bmi2,f16c")
#endif
#include "isa/all.h"
const ck_table ck_table_v4 = CK_TABLE("x86-64-v4");
#if defined(__clang__)
#pragma clang attribute pop
#endif
#endif
