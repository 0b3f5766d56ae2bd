// What every processor of the architecture has: 128-bit vectors (SSE2 on x86-64, NEON on arm64,
// whose 32 registers hold the larger tile).
#define VW 4
#if defined(__aarch64__)
#define MR 12
#else
#define MR 6
#endif
#define FN(name) name##_baseline
#include "isa/all.h"
const ck_table ck_table_baseline = CK_TABLE("baseline");
