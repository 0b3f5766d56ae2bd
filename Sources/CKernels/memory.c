// Memory of tensors.
#include <stdlib.h>

#include "ckernels.h"

#if defined(__linux__)
#include <sys/mman.h>
#endif

enum { HUGE_PAGE = 2 << 20 };

float *ck_allocate(int64_t count) {
  const size_t bytes = ((size_t)count * sizeof(float) + 63) / 64 * 64;
  void *memory = NULL;
  const int large = bytes >= 2 * (size_t)HUGE_PAGE;
  if (posix_memalign(&memory, large ? HUGE_PAGE : 64, bytes) != 0) return NULL;
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  if (large) madvise(memory, bytes / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE);  // a hint
#endif
  return memory;
}

void ck_free(float *memory) { free(memory); }
