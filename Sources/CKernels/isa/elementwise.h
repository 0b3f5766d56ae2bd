// Elementwise operators, reductions and row-wise softmax.

#define CK_EACH(expression)                                  \
  {                                                          \
    int64_t i = 0;                                           \
    for (; i + VW <= count; i += VW) {                       \
      const vec x = FN(load)(xs + i);                        \
      FN(store)(ys + i, (expression));                       \
    }                                                        \
    if (i < count) {                                         \
      const vec x = FN(load_n)(xs + i, count - i);           \
      FN(store_n)(ys + i, (expression), count - i);          \
    }                                                        \
    break;                                                   \
  }

static void FN(activation)(int32_t kind, int64_t count, const float *xs, float *ys) {
  switch (kind) {
    case CK_RELU: CK_EACH(FN(activate)(CK_RELU, x))
    case CK_RELU6: CK_EACH(FN(activate)(CK_RELU6, x))
    case CK_HARD_SWISH: CK_EACH(FN(activate)(CK_HARD_SWISH, x))
    case CK_HARD_SIGMOID: CK_EACH(FN(activate)(CK_HARD_SIGMOID, x))
    case CK_SWISH: CK_EACH(FN(activate)(CK_SWISH, x))
    case CK_SIGMOID: CK_EACH(FN(activate)(CK_SIGMOID, x))
    case CK_TANH: CK_EACH(FN(activate)(CK_TANH, x))
    case CK_GELU: CK_EACH(FN(activate)(CK_GELU, x))
    default: memmove(ys, xs, (size_t)count * sizeof(float));
  }
}

static void FN(activate_rows)(int32_t kind, int64_t m, int64_t n, float *c, int64_t ldc) {
  for (int64_t i = 0; i < m; i++) FN(activation)(kind, n, c + i * ldc, c + i * ldc);
}

static void FN(activation_second)(int32_t kind, int64_t count, const float *xs, float *ys) {
  switch (kind) {
    case CK_HARD_SWISH: CK_EACH(FN(activate_curvature)(CK_HARD_SWISH, x))
    case CK_SWISH: CK_EACH(FN(activate_curvature)(CK_SWISH, x))
    case CK_SIGMOID: CK_EACH(FN(activate_curvature)(CK_SIGMOID, x))
    case CK_TANH: CK_EACH(FN(activate_curvature)(CK_TANH, x))
    case CK_GELU: CK_EACH(FN(activate_curvature)(CK_GELU, x))
    default: memset(ys, 0, (size_t)count * sizeof(float));
  }
}

#define CK_GRADIENT(kind)                                                               \
  case kind: {                                                                          \
    int64_t i = 0;                                                                      \
    for (; i + VW <= count; i += VW) {                                                  \
      const vec x = FN(load)(xs + i);                                                   \
      FN(store)(ys + i, FN(load)(gs + i) * FN(activate_slope)(kind, x));                \
    }                                                                                   \
    if (i < count) {                                                                    \
      const vec x = FN(load_n)(xs + i, count - i), g = FN(load_n)(gs + i, count - i);   \
      FN(store_n)(ys + i, g * FN(activate_slope)(kind, x), count - i);                  \
    }                                                                                   \
    break;                                                                              \
  }

static void FN(activation_gradient)(int32_t kind, int64_t count, const float *xs, const float *gs,
                                    float *ys) {
  switch (kind) {
    CK_GRADIENT(CK_RELU)
    CK_GRADIENT(CK_RELU6)
    CK_GRADIENT(CK_HARD_SWISH)
    CK_GRADIENT(CK_HARD_SIGMOID)
    CK_GRADIENT(CK_SWISH)
    CK_GRADIENT(CK_SIGMOID)
    CK_GRADIENT(CK_TANH)
    CK_GRADIENT(CK_GELU)
    default: memmove(ys, gs, (size_t)count * sizeof(float));
  }
}

CK_INLINE vec FN(sqrt)(vec x) {
  vec r;
  UNROLL for (int i = 0; i < VW; i++) r[i] = __builtin_sqrtf(x[i]);
  return r;
}

static void FN(unary)(int32_t op, int64_t count, const float *xs, float *ys) {
  const vec zero = {0}, one = FN(splat)(1.0f);
  switch (op) {
    case CK_NEGATE: CK_EACH(-x)
    case CK_EXP: CK_EACH(FN(exp)(x))
    case CK_LOG: CK_EACH(FN(log)(x))
    case CK_SQRT: CK_EACH(FN(sqrt)(x))
    case CK_ABS: CK_EACH(FN(max)(x, -x))
    case CK_SIGN: CK_EACH(FN(select)(x > 0.0f, one, FN(select)(x < 0.0f, -one, zero)))
    case CK_RECIPROCAL: CK_EACH(1.0f / x)
    case CK_SQUARE: CK_EACH(x * x)
    case CK_LOG1P_EXP:
      CK_EACH(FN(max)(x, zero) + FN(log)(1.0f + FN(exp)(-FN(max)(x, -x))))
    case CK_STEP: CK_EACH(FN(select)(x > 0.0f, one, zero))
    default: break;
  }
}
#undef CK_EACH
#undef CK_GRADIENT

#define CK_BINARY(op, expression)                                            \
  case op: {                                                                 \
    int64_t i = 0;                                                           \
    for (; i + VW <= count; i += VW) {                                       \
      const vec a = sa ? FN(load)(as + i) : FN(splat)(*as);                  \
      const vec b = sb ? FN(load)(bs + i) : FN(splat)(*bs);                  \
      FN(store)(ys + i, (expression));                                       \
    }                                                                        \
    if (i < count) {                                                         \
      const vec a = sa ? FN(load_n)(as + i, count - i) : FN(splat)(*as);     \
      const vec b = sb ? FN(load_n)(bs + i, count - i) : FN(splat)(*bs);     \
      FN(store_n)(ys + i, (expression), count - i);                          \
    }                                                                        \
    break;                                                                   \
  }

static void FN(binary)(int32_t op, int64_t count, const float *as, int64_t sa, const float *bs,
                       int64_t sb, float *ys) {
  switch (op) {
    CK_BINARY(CK_ADD, a + b)
    CK_BINARY(CK_SUBTRACT, a - b)
    CK_BINARY(CK_MULTIPLY, a *b)
    CK_BINARY(CK_DIVIDE, a / b)
    CK_BINARY(CK_MAXIMUM, FN(max)(a, b))
    CK_BINARY(CK_MINIMUM, FN(min)(a, b))
    default: break;
  }
}
#undef CK_BINARY

static void FN(affine)(int64_t count, const float *x, float scale, float offset, float *y) {
  int64_t i = 0;
  for (; i + VW <= count; i += VW) FN(store)(y + i, FN(load)(x + i) * scale + offset);
  for (; i < count; i++) y[i] = x[i] * scale + offset;
}

static void FN(axpy)(int64_t count, float alpha, const float *x, float *y) {
  int64_t i = 0;
  for (; i + VW <= count; i += VW) FN(store)(y + i, FN(load)(y + i) + alpha * FN(load)(x + i));
  for (; i < count; i++) y[i] += alpha * x[i];
}

// Sums run in blocks of 4,096: float inside, double between.
static double FN(dot)(int64_t count, const float *x, const float *y) {
  double total = 0;
  for (int64_t start = 0; start < count; start += 4096) {
    const int64_t n = count - start < 4096 ? count - start : 4096;
    vec s[4] = {{0}, {0}, {0}, {0}};
    int64_t i = start;
    const int64_t end = start + n;
    if (y) {
      for (; i + 4 * VW <= end; i += 4 * VW) {
        UNROLL for (int v = 0; v < 4; v++) s[v] += FN(load)(x + i + v * VW) * FN(load)(y + i + v * VW);
      }
      for (; i < end; i += VW) s[0] += FN(load_n)(x + i, end - i) * FN(load_n)(y + i, end - i);
    } else {
      for (; i + 4 * VW <= end; i += 4 * VW) {
        UNROLL for (int v = 0; v < 4; v++) s[v] += FN(load)(x + i + v * VW);
      }
      for (; i < end; i += VW) s[0] += FN(load_n)(x + i, end - i);
    }
    total += FN(hsum)((s[0] + s[1]) + (s[2] + s[3]));
  }
  return total;
}

static float FN(maximum)(int64_t count, const float *x) {
  vec s = FN(splat)(-__builtin_inff());
  int64_t i = 0;
  for (; i + VW <= count; i += VW) s = FN(max)(s, FN(load)(x + i));
  float r = FN(hmax)(s);
  for (; i < count; i++) r = x[i] > r ? x[i] : r;
  return r;
}

static void FN(column_sums)(int64_t rows, int64_t columns, const float *x, int64_t ldx,
                            double *sums) {
  for (int64_t start = 0; start < rows; start += 256) {
    const int64_t end = rows - start < 256 ? rows : start + 256;
    for (int64_t j = 0; j < columns; j += VW) {
      const int64_t n = columns - j < VW ? columns - j : VW;
      vec s = {0};
      for (int64_t i = start; i < end; i++) s += FN(load_n)(x + i * ldx + j, n);
      for (int64_t v = 0; v < n; v++) sums[j + v] += s[v];
    }
  }
}

static void FN(softmax)(int64_t rows, int64_t columns, const float *xs, float *ys,
                        int32_t logarithm) {
  for (int64_t r = 0; r < rows; r++) {
    const float *x = xs + r * columns;
    float *y = ys + r * columns;
    const float top = FN(maximum)(columns, x);
    vec s = {0};
    int64_t i = 0;
    for (; i + VW <= columns; i += VW) {
      const vec e = FN(exp)(FN(load)(x + i) - top);
      s += e;
      if (!logarithm) FN(store)(y + i, e);
    }
    float total = FN(hsum)(s);
    if (i < columns) {
      const vec e = FN(exp)(FN(load_n)(x + i, columns - i) - top);
      for (int64_t v = 0; v < columns - i; v++) total += e[v];
      if (!logarithm) FN(store_n)(y + i, e, columns - i);
    }
    if (logarithm) {
      FN(affine)(columns, x, 1.0f, -top - __builtin_logf(total), y);
    } else {
      FN(affine)(columns, y, 1.0f / total, 0.0f, y);
    }
  }
}
