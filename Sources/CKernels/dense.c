// Cholesky factorisation and triangular solves by inner products of rows, which lie contiguously.
#include "ck_dense.h"

#include <math.h>

#if defined(__x86_64__) && defined(__linux__)
#define CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CLONES
#endif

typedef double lanes __attribute__((vector_size(64), aligned(8)));

// Four accumulators hide the latency of the additions.
static inline __attribute__((always_inline)) double dot(int64_t n, const double *a, const double *b) {
  lanes s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0};
  int64_t i = 0;
  for (; i + 32 <= n; i += 32) {
    s0 += *(const lanes *)(a + i) * *(const lanes *)(b + i);
    s1 += *(const lanes *)(a + i + 8) * *(const lanes *)(b + i + 8);
    s2 += *(const lanes *)(a + i + 16) * *(const lanes *)(b + i + 16);
    s3 += *(const lanes *)(a + i + 24) * *(const lanes *)(b + i + 24);
  }
  lanes s = (s0 + s1) + (s2 + s3);
  double sum = ((s[0] + s[4]) + (s[1] + s[5])) + ((s[2] + s[6]) + (s[3] + s[7]));
  for (; i < n; i++) sum += a[i] * b[i];
  return sum;
}

CLONES int32_t ck_cholesky(int64_t n, double *a) {
  for (int64_t i = 0; i < n; i++) {
    double *row = a + i * n;
    for (int64_t j = 0; j < i; j++) {
      row[j] = (row[j] - dot(j, row, a + j * n)) / a[j * n + j];
    }
    double rest = row[i] - dot(i, row, row);
    if (!(rest > 0)) return (int32_t)(1 + i);
    row[i] = sqrt(rest);
  }
  return 0;
}

// Rows that stay in cache while the other operand streams by.
enum { BLOCK = 32 };

CLONES void ck_solve_lower(int64_t n, const double *l, int64_t count, double *b) {
  for (int64_t first = 0; first < count; first += BLOCK) {
    int64_t end = first + BLOCK < count ? first + BLOCK : count;
    for (int64_t i = 0; i < n; i++) {
      const double *row = l + i * n;
      for (int64_t k = first; k < end; k++) {
        double *y = b + k * n;
        y[i] = (y[i] - dot(i, row, y)) / row[i];
      }
    }
  }
}

CLONES void ck_inner_products(int64_t rows, int64_t n, const double *a, double *inner) {
  for (int64_t first = 0; first < rows; first += BLOCK) {
    for (int64_t i = first; i < rows; i++) {
      for (int64_t j = first; j < first + BLOCK && j <= i; j++) {
        inner[i * rows + j] = inner[j * rows + i] = dot(n, a + i * n, a + j * n);
      }
    }
  }
}

CLONES void ck_solve_lower_transposed(int64_t n, const double *l, double *b) {
  for (int64_t i = n - 1; i >= 0; i--) {
    const double *row = l + i * n;
    double y = b[i] / row[i];
    b[i] = y;
    for (int64_t j = 0; j < i; j++) b[j] -= y * row[j];
  }
}
