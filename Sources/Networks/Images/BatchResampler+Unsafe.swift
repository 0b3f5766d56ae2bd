public import Tensors

/// Square images of a batch in another size: bilinear, widened when shrinking so that no pixel is
/// skipped (PyTorch's `interpolate(mode="bilinear", antialias=True)`).
public struct BatchResampler: Sendable {
  public let from: Int
  public let to: Int
  /// For each output position the first input position and its weights.
  private let taps: [(first: Int, weights: [Float])]

  public init(from: Int, to: Int) {
    self.from = from
    self.to = to
    let scale = Double(from) / Double(to)
    let support = max(scale, 1)
    taps = (0..<to).map { position in
      let centre = (Double(position) + 0.5) * scale
      let first = max(0, Int(centre - support + 0.5))
      let last = min(from, Int(centre + support + 0.5))
      var weights = (first..<last).map { max(0, 1 - abs((Double($0) + 0.5 - centre) / support)) }
      let sum = weights.reduce(0, +)
      for i in weights.indices { weights[i] /= sum }
      return (first, weights.map { Float($0) })
    }
  }

  /// What takes gradients of the result to gradients of the images.
  private init(transposing other: BatchResampler) {
    from = other.to
    to = other.from
    taps = (0..<other.from).map { position in
      let readers = other.taps.indices.filter { output in
        let tap = other.taps[output]
        return (tap.first..<tap.first + tap.weights.count).contains(position)
      }
      let weights = readers.map { other.taps[$0].weights[position - other.taps[$0].first] }
      return (readers.first ?? 0, weights)
    }
  }

  /// The same with a way back.
  public func callAsFunction(_ images: Variable) throws -> Variable {
    if from == to { return images }
    let back = BatchResampler(transposing: self)
    return images.tape.record(
      "resample", try self(images.value, engine: images.tape.engine), [images]
    ) { [try back($0)] }
  }

  /// - Parameter images: `[N, from, from, C]`.
  /// - Returns: `[N, to, to, C]`; the images themselves if the size stays.
  public func callAsFunction(_ images: Tensor, engine: Engine) throws -> Tensor {
    guard images.rank == 4, images.shape[1] == from, images.shape[2] == from else {
      throw NetworksError(
        .option, "resampling: images \(images.shape) are not [N, \(from), \(from), C]")
    }
    if from == to { return images }
    let (count, channels) = (images.shape[0], images.shape[3])
    let (row, source) = (from * channels, images.array)
    var result = [Float](repeating: 0, count: count * to * to * channels)
    source.withUnsafeBufferPointer { source in
      result.withUnsafeMutableBufferPointer { result in
        // Every image is written by one thread alone.
        nonisolated(unsafe) let (source, result) = (source, result)
        engine.parallel(count) { n in
          withUnsafeTemporaryAllocation(of: Float.self, capacity: row) { line in
            for y in 0..<to {
              line.initialize(repeating: 0)
              for (k, weight) in taps[y].weights.enumerated() {
                let start = (n * from + taps[y].first + k) * row
                for i in 0..<row { line[i] += weight * source[start + i] }
              }
              for x in 0..<to {
                let out = ((n * to + y) * to + x) * channels
                for (k, weight) in taps[x].weights.enumerated() {
                  let start = (taps[x].first + k) * channels
                  for c in 0..<channels { result[out + c] += weight * line[start + c] }
                }
              }
            }
          }
        }
      }
    }
    return try Tensor(result, shape: [count, to, to, channels])
  }
}
