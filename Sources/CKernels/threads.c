// A small pool: workers spin for a moment, then offer their core to others, then sleep. Waking a
// sleeper takes 50-100 us on a virtual machine, as long as a whole loop of a small network, so sleep
// comes late. Tasks are claimed one by one from a counter,
// so who runs a task varies; what a task computes may depend on its index only.
#include "ckernels.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#if defined(__x86_64__) || defined(__i386__)
#define RELAX() __builtin_ia32_pause()
#elif defined(__aarch64__)
#define RELAX() __asm__ volatile("yield")
#else
#define RELAX() ((void)0)
#endif

enum { SPINS = 2000, AWAKE_NANOSECONDS = 2000000 };

static int64_t nanoseconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

struct ck_pool {
  pthread_mutex_t lock;
  pthread_cond_t wake, done;
  atomic_int_fast64_t generation;  // bumped, under the lock, for every job
  atomic_int_fast64_t next;        // next task to claim
  atomic_int_fast64_t running;     // workers that haven't finished this generation
  atomic_flag busy;                // one job at a time
  int64_t count;
  ck_task task;
  void *context;
  int32_t workers;  // without the caller
  int stop;
  pthread_t threads[];
};

// Waits until `*value` is (equal) or isn't (!equal) `other`; gives up after a while.
static void await(atomic_int_fast64_t *value, int64_t other, int equal) {
  for (int i = 0; i < SPINS; i++) {
    if ((atomic_load_explicit(value, memory_order_acquire) == other) == equal) return;
    RELAX();
  }
  const int64_t start = nanoseconds();
  do {
    for (int i = 0; i < 16; i++) {
      if ((atomic_load_explicit(value, memory_order_acquire) == other) == equal) return;
      sched_yield();
    }
  } while (nanoseconds() - start < AWAKE_NANOSECONDS);
}

static void work(ck_pool *pool) {
  for (;;) {
    int64_t i = atomic_fetch_add_explicit(&pool->next, 1, memory_order_relaxed);
    if (i >= pool->count) return;
    pool->task(pool->context, i);
  }
}

static void *worker(void *argument) {
  ck_pool *pool = argument;
  int64_t seen = 0;
  for (;;) {
    await(&pool->generation, seen, 0);
    if (atomic_load_explicit(&pool->generation, memory_order_acquire) == seen) {
      pthread_mutex_lock(&pool->lock);
      while (atomic_load_explicit(&pool->generation, memory_order_relaxed) == seen) {
        pthread_cond_wait(&pool->wake, &pool->lock);
      }
      pthread_mutex_unlock(&pool->lock);
    }
    seen++;  // the caller waits for every worker, so no generation is missed
    if (pool->stop) return NULL;
    work(pool);
    if (atomic_fetch_sub_explicit(&pool->running, 1, memory_order_acq_rel) == 1) {
      pthread_mutex_lock(&pool->lock);
      pthread_cond_signal(&pool->done);
      pthread_mutex_unlock(&pool->lock);
    }
  }
}

static void post(ck_pool *pool) {
  pthread_mutex_lock(&pool->lock);
  atomic_fetch_add_explicit(&pool->generation, 1, memory_order_release);
  pthread_cond_broadcast(&pool->wake);
  pthread_mutex_unlock(&pool->lock);
}

ck_pool *ck_pool_create(int32_t threads) {
  int32_t workers = threads < 1 ? 0 : threads - 1;
  ck_pool *pool = calloc(1, sizeof(ck_pool) + (size_t)workers * sizeof(pthread_t));
  if (!pool) return NULL;
  pthread_mutex_init(&pool->lock, NULL);
  pthread_cond_init(&pool->wake, NULL);
  pthread_cond_init(&pool->done, NULL);
  atomic_flag_clear(&pool->busy);
  for (int32_t i = 0; i < workers; i++) {
    if (pthread_create(&pool->threads[i], NULL, worker, pool) != 0) {
      ck_pool_destroy(pool);
      return NULL;
    }
    pool->workers++;
  }
  return pool;
}

void ck_pool_destroy(ck_pool *pool) {
  if (!pool) return;
  pool->stop = 1;
  post(pool);
  for (int32_t i = 0; i < pool->workers; i++) pthread_join(pool->threads[i], NULL);
  pthread_mutex_destroy(&pool->lock);
  pthread_cond_destroy(&pool->wake);
  pthread_cond_destroy(&pool->done);
  free(pool);
}

void ck_pool_run(ck_pool *pool, int64_t count, ck_task task, void *context) {
  if (count <= 0) return;
  if (count == 1 || pool->workers == 0 ||
      atomic_flag_test_and_set_explicit(&pool->busy, memory_order_acquire)) {
    for (int64_t i = 0; i < count; i++) task(context, i);
    return;
  }
  pool->count = count;
  pool->task = task;
  pool->context = context;
  atomic_store_explicit(&pool->next, 0, memory_order_relaxed);
  atomic_store_explicit(&pool->running, pool->workers, memory_order_relaxed);
  post(pool);
  work(pool);
  await(&pool->running, 0, 1);
  if (atomic_load_explicit(&pool->running, memory_order_acquire) != 0) {
    pthread_mutex_lock(&pool->lock);
    while (atomic_load_explicit(&pool->running, memory_order_acquire) != 0) {
      pthread_cond_wait(&pool->done, &pool->lock);
    }
    pthread_mutex_unlock(&pool->lock);
  }
  atomic_flag_clear_explicit(&pool->busy, memory_order_release);
}
