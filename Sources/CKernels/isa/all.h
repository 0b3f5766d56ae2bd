#include "table.h"
#include "vector.h"
#include "gemm.h"
#include "elementwise.h"
