public import Architectures
public import Tensors

extension FewShotModel {
  /// What a predictor says of a network that it did not see.
  public struct Held: Sendable {
    public var measured: Milliseconds
    public var predicted: Milliseconds
    /// Half the width of the interval asked for.
    public var halfWidth: Milliseconds

    public var isInside: Bool { abs(measured.value - predicted.value) <= halfWidth.value }
  }

  /// Predicts each sample from the others (one by one up to 40 samples, else in ten parts). Others
  /// that are all equal predict their latency, in an interval without end.
  /// - Parameter confidence: of the intervals, 0...1.
  /// - Throws: `badSamples` for fewer than three samples, or constant ones.
  public func leaveOneOut(
    _ samples: [(encoding: ArchitectureEncoding, latency: Milliseconds)],
    spaces encoders: [SpaceEncoder], confidence: Double = 0.9, engine: Engine? = nil
  ) throws -> [Held] {
    guard samples.count > 2 else {
      throw PredictorsError(
        .badSamples, "\(samples.count) samples can't check each other; at least three are needed")
    }
    let latencies = samples.map(\.latency.value)
    let isConstant = Set(latencies).count == 1
    let encodings = RowMatrix(
      rows: samples.count, columns: LatencyDataset.columns,
      values: samples.flatMap { $0.encoding.values[..<LatencyDataset.columns] })
    let population =
      encoders.isEmpty ? encodings : try Self.population(encoders, engine: engine).encodings
    let basis = FewShotBasis(sources: sources, population: population)
    let parts = samples.count <= 40 ? samples.count : 10
    var result = [Held?](repeating: nil, count: samples.count)
    for part in 0..<parts {
      let held = samples.indices.filter { $0 % parts == part }
      let kept = samples.indices.filter { $0 % parts != part }
      let seen = kept.map { latencies[$0] }
      if !isConstant, Set(seen).count == 1 {
        for index in held {
          result[index] = Held(
            measured: samples[index].latency, predicted: Milliseconds(seen[0]),
            halfWidth: Milliseconds(.infinity))
        }
        continue
      }
      let predictor = try adapted(basis, encodings.selecting(kept), seen)
      let asked = encodings.selecting(held)
      let (means, halves) = (
        predictor.latencies(asked), predictor.halfWidths(asked, confidence: confidence)
      )
      for (place, index) in held.enumerated() {
        result[index] = Held(
          measured: samples[index].latency, predicted: Milliseconds(means[place]),
          halfWidth: Milliseconds(halves[place]))
      }
    }
    return result.compactMap { $0 }
  }
}
