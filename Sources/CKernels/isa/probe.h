// What the processor can do at best: independent multiply-adds, nothing loaded or stored.

static double FN(probe_fma)(int64_t iterations, float *sink) {
  enum { CHAINS = VW == 4 ? 12 : (VW == 8 ? 12 : 24) };
  vec acc[CHAINS];
  const vec a = FN(splat)(*sink), b = FN(splat)(0.999f);
  UNROLL for (int i = 0; i < CHAINS; i++) acc[i] = FN(splat)((float)i);
#pragma clang loop unroll(disable)
  for (int64_t n = 0; n < iterations; n++) {
    UNROLL for (int i = 0; i < CHAINS; i++) acc[i] = acc[i] * b + a;
  }
  vec s = {0};
  UNROLL for (int i = 0; i < CHAINS; i++) s += acc[i];
  *sink = FN(hsum)(s);
  return 2.0 * VW * CHAINS * (double)iterations;
}
