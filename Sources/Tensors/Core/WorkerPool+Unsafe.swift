import CKernels

/// The threads of an engine; see `threads.c`.
///
/// `@unchecked Sendable`: the pointer never changes, and the C pool takes calls from any thread.
final class WorkerPool: @unchecked Sendable {
  private let pool: OpaquePointer

  init?(threads: Int) {
    guard let pool = ck_pool_create(Int32(threads)) else { return nil }
    self.pool = pool
  }

  deinit { ck_pool_destroy(pool) }

  func run(_ count: Int, _ body: (Int) -> Void) {
    if count == 1 { return body(0) }
    withoutActuallyEscaping(body) { body in
      var job = Job(body: body)
      withUnsafeMutablePointer(to: &job) { job in
        ck_pool_run(
          pool, Int64(count),
          { context, index in
            context!.assumingMemoryBound(to: Job.self).pointee.body(Int(index))
          }, job)
      }
    }
  }

  private struct Job { let body: (Int) -> Void }
}
