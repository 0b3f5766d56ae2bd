// These loops are bound by memory, so the compiler's own vectorisation is enough.
#include "ck_optimisers.h"

#include <math.h>

#if defined(__x86_64__) && defined(__linux__)
#define CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CLONES
#endif

CLONES void ck_sgd_step(int64_t count, float rate, float momentum, int32_t nesterov, float decay,
                        float scale, const float *restrict gradient, float *restrict velocity,
                        float *restrict weight) {
  if (!velocity) {
    for (int64_t i = 0; i < count; i++) weight[i] -= rate * (scale * gradient[i] + decay * weight[i]);
  } else if (nesterov) {
    for (int64_t i = 0; i < count; i++) {
      const float g = scale * gradient[i] + decay * weight[i];
      velocity[i] = momentum * velocity[i] + g;
      weight[i] -= rate * (g + momentum * velocity[i]);
    }
  } else {
    for (int64_t i = 0; i < count; i++) {
      velocity[i] = momentum * velocity[i] + (scale * gradient[i] + decay * weight[i]);
      weight[i] -= rate * velocity[i];
    }
  }
}

CLONES void ck_adam_step(int64_t count, float rate, float beta1, float beta2, float epsilon,
                         float c1, float c2, float decay, int32_t decoupled, float scale,
                         const float *restrict gradient, float *restrict mean,
                         float *restrict square, float *restrict weight) {
  const float keep = decoupled ? 1.0f - rate * decay : 1.0f;
  const float coupled = decoupled ? 0.0f : decay;
  const float step = rate / c1, root = 1.0f / sqrtf(c2);
  for (int64_t i = 0; i < count; i++) {
    const float g = scale * gradient[i] + coupled * weight[i];
    mean[i] = beta1 * mean[i] + (1.0f - beta1) * g;
    square[i] = beta2 * square[i] + (1.0f - beta2) * g * g;
    weight[i] = keep * weight[i] - step * mean[i] / (sqrtf(square[i]) * root + epsilon);
  }
}

CLONES void ck_rmsprop_step(int64_t count, float rate, float alpha, float momentum, float epsilon,
                            float decay, float scale, const float *restrict gradient,
                            float *restrict square, float *restrict velocity,
                            float *restrict weight) {
  for (int64_t i = 0; i < count; i++) {
    const float g = scale * gradient[i] + decay * weight[i];
    square[i] = alpha * square[i] + (1.0f - alpha) * g * g;
    float step = g / (sqrtf(square[i]) + epsilon);
    if (velocity) step = velocity[i] = momentum * velocity[i] + step;
    weight[i] -= rate * step;
  }
}

CLONES void ck_average_step(int64_t count, float decay, const float *restrict x,
                            float *restrict average) {
  for (int64_t i = 0; i < count; i++) average[i] += (1.0f - decay) * (x[i] - average[i]);
}

CLONES void ck_clamp(int64_t count, float limit, float *x) {
  for (int64_t i = 0; i < count; i++) {
    x[i] = x[i] > limit ? limit : (x[i] < -limit ? -limit : x[i]);
  }
}
