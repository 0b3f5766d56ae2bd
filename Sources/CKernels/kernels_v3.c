// x86-64-v3: 256-bit vectors, 16 registers, fused multiply-add.
#if defined(__x86_64__)
#define VW 8
#define MR 6
#define FN(name) name##_v3
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma,bmi,bmi2,f16c"))), apply_to = function)
#else
#pragma GCC target("avx2,fma,bmi,bmi2,f16c")
#endif
#include "isa/all.h"
const ck_table ck_table_v3 = CK_TABLE("x86-64-v3");
#if defined(__clang__)
#pragma clang attribute pop
#endif
#endif
