import CKernels

/// Where tensors are computed: a number of threads and a pool of buffers that are used again.
///
/// The engine is passed explicitly (a ``Tape`` carries it); there is no global one. Work is cut by
/// shape and thread count only, so the same inputs and thread count give the same bits.
public final class Engine: Sendable {
  /// Threads that compute, the calling one included.
  public let threads: Int
  /// Buffers given back by tensors that are gone.
  let buffers = BufferPool()
  let workers: WorkerPool

  /// - Parameter threads: at least 1; more than the machine has cores only slows it down.
  /// - Throws: `TensorError` if the threads can't be started.
  public init(threads: Int = 1) throws {
    guard threads >= 1, threads <= 1024 else {
      throw TensorError(.argument, "Engine: threads must be 1...1024, got \(threads)")
    }
    guard let workers = WorkerPool(threads: threads) else {
      throw TensorError(.argument, "Engine: \(threads) threads can't be started")
    }
    self.threads = threads
    self.workers = workers
  }

  /// Runs `body(0..<count)`, in any order, on the engine's threads; returns when all are done.
  ///
  /// What `body(i)` computes and where it writes may depend on `i` only. Nested calls run in line.
  public func parallel(_ count: Int, _ body: (Int) -> Void) {
    workers.run(count, body)
  }

  /// Cuts `0..<count` into equal ranges for the threads, none shorter than `grain`.
  public func parallel(_ count: Int, grain: Int, _ body: (Range<Int>) -> Void) {
    let parts = Self.parts(count, threads: threads, grain: grain)
    if parts <= 1 {
      if count > 0 { body(0..<count) }
      return
    }
    parallel(parts) { i in body(Self.part(i, of: parts, in: count)) }
  }

  static func parts(_ count: Int, threads: Int, grain: Int) -> Int {
    max(1, min(threads, count / max(grain, 1)))
  }

  static func part(_ i: Int, of parts: Int, in count: Int) -> Range<Int> {
    (count * i / parts)..<(count * (i + 1) / parts)
  }

  /// Bytes held for reuse now, the most bytes ever alive at once (in use and held), and those of the
  /// largest buffer there was.
  public var memory: (held: Int, peak: Int, largest: Int) { buffers.statistics }

  /// Gives the buffers held for reuse back to the system.
  public func releaseBuffers() { buffers.drain() }

  /// Instruction set of the kernels: `x86-64-v4`, `x86-64-v3` or `baseline`.
  public static var instructionSet: String { String(cString: ck_isa_name()) }
}
