// Dense linear algebra in double precision for small matrices (some thousand rows), row major and
// contiguous. Only the lower triangle of a factor is read.
#pragma once
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Replaces the lower triangle of the symmetric `a` [n, n] by its Cholesky factor. Returns 0, or
// 1 + the row at which `a` turns out not to be positive definite.
int32_t ck_cholesky(int64_t n, double *a);

// Solves L y = b for `count` right-hand sides, the rows of `b` [count, n], in place.
void ck_solve_lower(int64_t n, const double *l, int64_t count, double *b);

// inner[i * rows + j] = inner[j * rows + i] = the inner product of rows i and j of `a` [rows, n].
void ck_inner_products(int64_t rows, int64_t n, const double *a, double *inner);

// Solves L' y = b in place, one right-hand side.
void ck_solve_lower_transposed(int64_t n, const double *l, double *b);

#ifdef __cplusplus
}
#endif
