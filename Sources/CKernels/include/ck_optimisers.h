// Optimiser steps: one pass over gradient, state and weight. Counts in elements; `weight` and the
// state are read and written, `gradient` is multiplied by `scale` (clipping by norm) as it is read.
#pragma once
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// g = scale * gradient + decay * w; b = momentum * b + g; w -= rate * (nesterov ? g + momentum * b : b).
// `velocity` may be NULL if momentum is 0.
void ck_sgd_step(int64_t count, float rate, float momentum, int32_t nesterov, float decay,
                 float scale, const float *gradient, float *velocity, float *weight);

// Adam with bias corrections c1 = 1 - beta1^t, c2 = 1 - beta2^t; `decoupled` shrinks the weight by
// rate * decay (AdamW) instead of adding decay * w to the gradient.
void ck_adam_step(int64_t count, float rate, float beta1, float beta2, float epsilon, float c1,
                  float c2, float decay, int32_t decoupled, float scale, const float *gradient,
                  float *mean, float *square, float *weight);

// s = alpha * s + (1 - alpha) g^2; b = momentum * b + g / (sqrt(s) + epsilon); w -= rate * b.
// `velocity` may be NULL if momentum is 0.
void ck_rmsprop_step(int64_t count, float rate, float alpha, float momentum, float epsilon,
                     float decay, float scale, const float *gradient, float *square,
                     float *velocity, float *weight);

// average += (1 - decay) * (x - average)
void ck_average_step(int64_t count, float decay, const float *x, float *average);

// x = min(max(x, -limit), limit)
void ck_clamp(int64_t count, float limit, float *x);

#ifdef __cplusplus
}
#endif
