public import Tensors

/// Runs a network on batches, a few images at a time on each thread.
///
/// What one image needs between two layers fits in a core's cache, what a batch needs does not: so
/// the batch is cut over the threads once, not again in every layer. Weights must not change while
/// this lives.
public final class Inference {
  private let body: (Variable, Pass) throws -> Variable
  private let engine: Engine
  private let lanes: [Lane]

  /// What one thread computes with. Each lane is used by one task at a time.
  private final class Lane {
    let pass: Pass
    /// Rows that go through all layers together.
    var chunk: Int
    var isFitted: Bool
    var results: [Tensor] = []
    var failure: (any Error)?

    init(_ pass: Pass, chunk: Int?) {
      self.pass = pass
      self.chunk = max(1, chunk ?? 1)
      isFitted = chunk != nil
    }

    /// After the first row: so many that the largest array is about `cacheBytes`, since each chunk
    /// costs a walk through the layers' code. Results depend on it by rounding at most.
    func fit() {
      guard !isFitted else { return }
      chunk = max(1, min(16, Inference.cacheBytes / max(1, pass.tape.engine.memory.largest)))
      isFitted = true
    }
  }

  /// The largest array with which inference of the benchmark's networks was fastest: what a layer
  /// reads and what it writes then fit in a core's second-level cache of 1 MiB.
  private static let cacheBytes = 700_000

  /// - Parameter chunk: rows of the batch that go through all layers together; as many as fit in a
  ///   core's cache when left out.
  /// - Parameter body: from a variable `[n, ...]` to `[n, ...]`; rows must not depend on each other.
  /// - Throws: `TensorError` if a thread cannot be had.
  public init(
    engine: Engine, chunk: Int? = nil, _ body: @escaping (Variable, Pass) throws -> Variable
  ) throws {
    self.body = body
    self.engine = engine
    lanes = try (0..<engine.threads).map { _ in
      Lane(Pass.inference(engine.threads == 1 ? engine : try Engine(threads: 1)), chunk: chunk)
    }
  }

  /// The results of all rows of `x`, in order.
  public func callAsFunction(_ x: Tensor) throws -> Tensor {
    let count = x.shape.first ?? 0
    // A batch too small to cut is computed by all threads together.
    if count <= 1 || count < lanes.count {
      let pass = lanes.count == 1 ? lanes[0].pass : together
      return try body(pass.tape.constant(x), pass).value
    }
    engine.parallel(lanes.count) { i in
      let lane = lanes[i]
      let rows = count * i / lanes.count..<count * (i + 1) / lanes.count
      lane.results = []
      do {
        var start = rows.lowerBound
        while start < rows.upperBound {
          let end = min(start + lane.chunk, rows.upperBound)
          let part = try x.slice(axis: 0, start..<end)
          let y = try body(lane.pass.tape.constant(part), lane.pass)
          lane.results.append(y.value)
          lane.fit()
          start = end
        }
      } catch {
        lane.failure = error
      }
    }
    for lane in lanes {
      defer { lane.failure = nil }
      if let failure = lane.failure { throw failure }
    }
    let tape = lanes[0].pass.tape
    let parts = lanes.flatMap { lane in lane.results.map(tape.constant) }
    for lane in lanes { lane.results = [] }
    return try Variable.concatenated(parts, axis: 0).value
  }

  private lazy var together = Pass.inference(engine)
}
