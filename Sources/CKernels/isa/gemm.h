// Matrix products. The micro-kernel keeps MR x 2 vectors of C in registers and reads A by broadcast
// and B by vector, both where they lie: with rows of a few hundred elements neither is worth
// packing (measured: within 5 % of the packed version for K, N <= 400). Only a larger B is copied,
// panel by panel, so that its rows don't meet in the same cache sets.

enum { FN(KC) = 512 };

// What happens to a finished tile; the fields are already moved to the tile's corner.
typedef struct {
  const float *scale, *shift, *residual;
  int64_t ldr;
  int32_t activation, accumulate, streamed;
  float *sums, *squares;  // [2 * VW]
  // Lines to fetch meanwhile: from each of two places, `distance` elements a tile.
  const float *ahead[2];
  int64_t distance;
} FN(finish);

// C[mr, nv * VW] = sum over p < k of A[i * ai + p * ak] B[p * ldb + j]; n valid columns. The sum
// goes over `runs` such stretches of A, each starting `jump` behind the end of the one before; B's
// rows go on without a gap.
CK_INLINE void FN(tile)(const int mr, const int nv, int64_t runs, int64_t jump, int64_t k,
                        const float *a, int64_t ai, int64_t ak, const float *b, int64_t ldb,
                        float *c, int64_t ldc, int64_t n, const float *ahead,
                        const float *also, const FN(finish) * f) {
  vec acc[MR][2];
  UNROLL for (int i = 0; i < mr; i++) {
    UNROLL for (int v = 0; v < nv; v++) acc[i][v] = (vec){0};
  }
#pragma clang loop unroll(disable)
  for (int64_t run = 0; run < runs; run++) {
#pragma clang loop unroll(disable)
    for (int64_t p = 0; p < k; p++) {
      vec bv[2];
      UNROLL for (int v = 0; v < nv; v++) bv[v] = FN(load)(b + v * VW);
      __builtin_prefetch(ahead + p * 16);
      __builtin_prefetch(also + p * 16);
      UNROLL for (int i = 0; i < mr; i++) {
        const float s = a[i * ai];
        UNROLL for (int v = 0; v < nv; v++) acc[i][v] += s * bv[v];
      }
      a += ak;
      b += ldb;
    }
    a += jump;
  }
  if (f->accumulate) {
    UNROLL for (int i = 0; i < mr; i++) {
      UNROLL for (int v = 0; v < nv; v++) acc[i][v] += FN(load)(c + i * ldc + v * VW);
    }
  }
  if (f->sums) {
    UNROLL for (int v = 0; v < nv; v++) {
      vec s = FN(load)(f->sums + v * VW), q = FN(load)(f->squares + v * VW);
      UNROLL for (int i = 0; i < mr; i++) {
        s += acc[i][v];
        q += acc[i][v] * acc[i][v];
      }
      FN(store)(f->sums + v * VW, s);
      FN(store)(f->squares + v * VW, q);
    }
  }
  if (f->scale || f->shift) {
    UNROLL for (int v = 0; v < nv; v++) {
      const vec s = f->scale ? FN(load)(f->scale + v * VW) : FN(splat)(1.0f);
      const vec t = f->shift ? FN(load)(f->shift + v * VW) : (vec){0};
      UNROLL for (int i = 0; i < mr; i++) acc[i][v] = acc[i][v] * s + t;
    }
  }
  if (f->residual) {
    UNROLL for (int i = 0; i < mr; i++) {
      UNROLL for (int v = 0; v < nv; v++) {
        acc[i][v] += FN(load)(f->residual + i * f->ldr + v * VW);
      }
    }
  }
#define CK_FINISH(kind)                                                               \
  case kind:                                                                          \
    UNROLL for (int i = 0; i < mr; i++) {                                             \
      UNROLL for (int v = 0; v < nv; v++) acc[i][v] = FN(activate)(kind, acc[i][v]);  \
    }                                                                                 \
    break;
  switch (f->activation) {
    CK_FINISH(CK_RELU)
    CK_FINISH(CK_RELU6)
    CK_FINISH(CK_HARD_SWISH)
    CK_FINISH(CK_HARD_SIGMOID)
    default: break;  // the dear ones follow in a pass of their own, see FN(gemm)
  }
#undef CK_FINISH
  if (f->streamed && n >= nv * VW) {
    UNROLL for (int i = 0; i < mr; i++) {
      UNROLL for (int v = 0; v < nv; v++) FN(stream)(c + i * ldc + v * VW, acc[i][v]);
    }
  } else if (n >= nv * VW) {
    UNROLL for (int i = 0; i < mr; i++) {
      UNROLL for (int v = 0; v < nv; v++) FN(store)(c + i * ldc + v * VW, acc[i][v]);
    }
  } else {
    UNROLL for (int i = 0; i < mr; i++) {
      UNROLL for (int v = 0; v < nv; v++) {
        if (n > v * VW) FN(store_n)(c + i * ldc + v * VW, acc[i][v], n - v * VW);
      }
    }
  }
}

#define CK_TILE(mr, nv, name, ai, ak, id)                                                     \
  static __attribute__((noinline)) void FN(name##_##id##_##nv)(                               \
      int64_t runs, int64_t jump, int64_t k, const float *a, int64_t lda, const float *b,     \
      int64_t ldb, float *c, int64_t ldc, int64_t n, const float *ahead, const float *also,   \
      const FN(finish) * f) {                                                                 \
    FN(tile)(mr, nv, runs, jump, k, a, ai, ak, b, ldb, c, ldc, n, ahead, also, f);            \
  }
#if MR > 8
#define CK_EIGHT(nv, name, ai, ak) CK_TILE(8, nv, name, ai, ak, 8)
#define CK_CALL_EIGHT(name) CK_CALL(name, 8)
#else
#define CK_EIGHT(nv, name, ai, ak)
#define CK_CALL_EIGHT(name) (void)0
#endif
#define CK_TILES(name, ai, ak)                                                          \
  CK_TILE(1, 1, name, ai, ak, 1) CK_TILE(2, 1, name, ai, ak, 2)                         \
  CK_TILE(4, 1, name, ai, ak, 4) CK_TILE(MR, 1, name, ai, ak, full)                     \
  CK_TILE(1, 2, name, ai, ak, 1) CK_TILE(2, 2, name, ai, ak, 2)                         \
  CK_TILE(4, 2, name, ai, ak, 4) CK_TILE(MR, 2, name, ai, ak, full)                     \
  CK_EIGHT(1, name, ai, ak) CK_EIGHT(2, name, ai, ak)
#define CK_CALL(name, id)                                                               \
  two ? FN(name##_##id##_2)(runs, jump, k, a, lda, b, ldb, c, ldc, n, ahead, also, f)   \
      : FN(name##_##id##_1)(runs, jump, k, a, lda, b, ldb, c, ldc, n, ahead, also, f)

// Rows of the next tile: 16 are two equal tiles, not a full and a small one.
CK_INLINE int FN(tile_rows)(int64_t m) {
  if (m >= MR && !(MR == 12 && m == 16)) return MR;
  if (MR > 8 && m >= 8) return 8;
  return m >= 4 ? 4 : (m >= 2 ? 2 : 1);
}

#define CK_ROWS(name, step)                                                             \
  static void FN(name##_rows)(int64_t m, int64_t runs, int64_t jump, int64_t k,         \
                              const float *a, int64_t lda, const float *b, int64_t ldb, \
                              float *c, int64_t ldc, int64_t n, FN(finish) * f) {       \
    const int two = n > VW;                                                             \
    while (m > 0) {                                                                     \
      const int mr = FN(tile_rows)(m);                                                  \
      const float *ahead = a + mr * step, *also = ahead;                                \
      if (f->ahead[0]) {                                                                \
        ahead = f->ahead[0], also = f->ahead[1];                                        \
        f->ahead[0] += f->distance, f->ahead[1] += f->distance;                         \
      }                                                                                 \
      if (mr == MR) {                                                                   \
        CK_CALL(name, full);                                                            \
      } else if (mr == 8) {                                                             \
        CK_CALL_EIGHT(name);                                                            \
      } else if (mr == 4) {                                                             \
        CK_CALL(name, 4);                                                               \
      } else if (mr == 2) {                                                             \
        CK_CALL(name, 2);                                                               \
      } else {                                                                          \
        CK_CALL(name, 1);                                                               \
      }                                                                                 \
      a += mr * step, c += mr * ldc, m -= mr;                                           \
      if (f->residual) f->residual += mr * f->ldr;                                      \
    }                                                                                   \
  }
CK_TILES(nn, lda, 1)
CK_TILES(tn, 1, lda)
CK_ROWS(nn, lda)
CK_ROWS(tn, 1)

static void FN(activate_rows)(int32_t kind, int64_t m, int64_t n, float *c, int64_t ldc);

static void FN(gemm)(const ck_gemm_args *g) {
  // Rows of A that stay in the second-level cache while the panels of B pass.
  const int64_t kc = g->k < FN(KC) ? g->k : FN(KC);
  int64_t mc = kc > 0 ? 49152 / kc : 4096;
  mc = mc < MR ? MR : (mc > 2048 ? 2048 : mc) / MR * MR;
  const int pack = g->k > 64 && g->m > 64 && (g->ldb % 512 == 0 || g->n > 512);
  float panel[2 * VW * (size_t)(pack ? FN(KC) : 1)] __attribute__((aligned(64)));
  float partial[4 * VW];
  const int deferred = g->activation > CK_HARD_SIGMOID;
  if (g->k == 0) {  // an empty product is 0; the tile with k = 0 does the rest
    mc = g->m < 1 ? 1 : g->m;
  }
  // What comes next is fetched in equal shares by all tiles.
  const float *ahead[2] = {g->ahead[0], g->ahead[1]};
  int64_t distance = 0;
  if (ahead[0] && g->m > 0 && g->n > 0) {
    int64_t count = g->ahead_count;
    if (!ahead[1]) count = (count + 1) / 2, ahead[1] = ahead[0] + count;
    const int64_t tiles = (g->m + MR - 1) / MR * ((g->n + 2 * VW - 1) / (2 * VW));
    distance = (count / 16 / tiles + 1) * 16;
    if (distance > kc * 16) distance = kc * 16;
  }
  for (int64_t i0 = 0; i0 < g->m; i0 += mc) {
    const int64_t m = g->m - i0 < mc ? g->m - i0 : mc;
    int64_t p0 = 0;
    do {
      const int64_t k = g->k - p0 < FN(KC) ? g->k - p0 : FN(KC);
      const int last = p0 + k >= g->k;
      for (int64_t j = 0; j < g->n; j += 2 * VW) {
        const int64_t n = g->n - j;
        FN(finish) f = {.accumulate = g->accumulate || p0 > 0, .distance = distance,
                        .ahead = {ahead[0], ahead[1]}};
        if (last) {
          f.streamed = g->streamed && p0 == 0 && !g->accumulate && !deferred && FN(lines)(g->c) &&
                       g->ldc % VW == 0;
          f.scale = g->scale ? g->scale + j : NULL;
          f.shift = g->shift ? g->shift + j : NULL;
          f.residual = g->residual ? g->residual + i0 * g->ldr + j : NULL;
          f.ldr = g->ldr;
          f.activation = g->activation;
          if (g->sums) {
            memset(partial, 0, sizeof partial);
            f.sums = partial, f.squares = partial + 2 * VW;
          }
        }
        const float *b = g->b + p0 * g->ldb + j;
        int64_t ldb = g->ldb;
        if (pack && n >= 2 * VW) {
          for (int64_t p = 0; p < k; p++) memcpy(panel + p * 2 * VW, b + p * ldb, 8 * VW);
          b = panel, ldb = 2 * VW;
        }
        FN(nn_rows)(m, 1, 0, k, g->a + i0 * g->lda + p0, g->lda, b, ldb, g->c + i0 * g->ldc + j,
                    g->ldc, n < 2 * VW ? n : 2 * VW, &f);
        ahead[0] = f.ahead[0], ahead[1] = f.ahead[1];
        if (f.sums) {
          for (int64_t v = 0; v < 2 * VW && v < n; v++) {
            g->sums[j + v] += partial[v];
            g->squares[j + v] += partial[2 * VW + v];
          }
        }
      }
      p0 += k;
    } while (p0 < g->k);
    if (deferred) FN(activate_rows)(g->activation, m, g->n, g->c + i0 * g->ldc, g->ldc);
  }
}

static void FN(gemm_tn)(int64_t m, int64_t n, int64_t k, const float *a, int64_t lda,
                        const float *b, int64_t ldb, float *c, int64_t ldc, int32_t accumulate) {
  // Blocks of rows small enough that A's and B's stay in the second-level cache.
  int64_t mb = 98304 / (n + k + 1);
  mb = mb < 32 ? 32 : (mb > 512 ? 512 : mb);
  int64_t r = 0;
  do {
    const int64_t rows = m - r < mb ? m - r : mb;
    for (int64_t j = 0; j < n; j += 2 * VW) {
      FN(finish) f = {.accumulate = accumulate || r > 0};
      FN(tn_rows)(k, 1, 0, rows, a + r * lda, lda, b + r * ldb + j, ldb, c + j, ldc,
                  n - j < 2 * VW ? n - j : 2 * VW, &f);
    }
    r += rows;
  } while (r < m);
}
#undef CK_TILES
#undef CK_TILE
#undef CK_EIGHT
#undef CK_CALL
#undef CK_CALL_EIGHT
#undef CK_ROWS
