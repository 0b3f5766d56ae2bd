// A small pool: workers spin for a moment, then offer their core to others, then sleep. Waking a
// sleeper takes 50-100 us on a virtual machine, as long as a whole loop of a small network, so sleep
// comes late. Every thread claims the tasks of a range of its own first, so that a core works on the
// same part of an image layer after layer and finds it in its cache; then it helps with the others'
// ranges. So who runs a task varies; what a task computes may depend on its index only.
#include "ckernels.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
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

// One thread's share of a job, in a cache line of its own. The caller's has no thread.
typedef struct {
  _Alignas(64) atomic_int_fast64_t next;  // next task to claim of the member's range
  int64_t index;
  ck_pool *pool;
  pthread_t thread;
} member;

struct ck_pool {
  pthread_mutex_t lock;
  pthread_cond_t wake, done;
  atomic_int_fast64_t generation;  // bumped, under the lock, for every job
  atomic_int_fast64_t running;     // workers that haven't finished this generation
  atomic_flag busy;                // one job at a time
  int64_t count;
  ck_task task;
  void *context;
  int32_t workers;  // without the caller
  int stop;
  member members[];  // the caller, then the workers
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

// The first task of a member's range; that of the one behind the last is the number of tasks.
static int64_t first_of(const ck_pool *pool, int64_t index) {
  return index * pool->count / (pool->workers + 1);
}

static void work(ck_pool *pool, int64_t own) {
  const int64_t members = pool->workers + 1;
  for (int64_t k = 0; k < members; k++) {
    const int64_t index = (own + k) % members, end = first_of(pool, index + 1);
    atomic_int_fast64_t *next = &pool->members[index].next;
    for (;;) {
      const int64_t i = atomic_fetch_add_explicit(next, 1, memory_order_relaxed);
      if (i >= end) break;
      pool->task(pool->context, i);
    }
  }
}

static void *worker(void *argument) {
  const member *self = argument;
  ck_pool *pool = self->pool;
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
    work(pool, self->index);
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
  const size_t bytes = sizeof(ck_pool) + (size_t)(workers + 1) * sizeof(member);
  void *memory = NULL;
  if (posix_memalign(&memory, _Alignof(ck_pool), bytes) != 0) return NULL;
  ck_pool *pool = memset(memory, 0, bytes);
  pthread_mutex_init(&pool->lock, NULL);
  pthread_cond_init(&pool->wake, NULL);
  pthread_cond_init(&pool->done, NULL);
  atomic_flag_clear(&pool->busy);
  for (int32_t i = 1; i <= workers; i++) {
    member *m = &pool->members[i];
    m->index = i;
    m->pool = pool;
    if (pthread_create(&m->thread, NULL, worker, m) != 0) {
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
  for (int32_t i = 1; i <= pool->workers; i++) pthread_join(pool->members[i].thread, NULL);
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
  for (int64_t i = 0; i <= pool->workers; i++) {
    atomic_store_explicit(&pool->members[i].next, first_of(pool, i), memory_order_relaxed);
  }
  atomic_store_explicit(&pool->running, pool->workers, memory_order_relaxed);
  post(pool);
  work(pool, 0);
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
