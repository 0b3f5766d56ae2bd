import CKernels

/// The memory of tensors: `count` floats, aligned to 64 bytes, with slack behind for kernels that
/// read whole vectors.
///
/// `@unchecked Sendable`: written only while one tensor alone refers to it (copy on write), or by
/// the operator that made it before anybody else has seen it.
final class TensorStorage: @unchecked Sendable {
  let pointer: UnsafeMutablePointer<Float>
  let count: Int
  private let pool: BufferPool?

  /// Memory with undefined contents, from the pool if there is one.
  init(uninitialized count: Int, pool: BufferPool?) {
    self.count = count
    self.pool = pool
    pointer = pool?.take(count) ?? BufferPool.allocate(BufferPool.capacity(for: count))
  }

  deinit {
    if let pool { pool.give(pointer, count) } else { ck_free(pointer) }
  }
}
