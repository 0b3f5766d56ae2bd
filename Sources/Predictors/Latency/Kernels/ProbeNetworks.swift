public import Architectures

/// Networks drawn at random to learn a device's kernels from: short ones, in which one kernel
/// decides, and whole ones, in which kernels stand among others as they do in practice. They come
/// from no family.
public struct ProbeNetworks: Sendable {
  public let seed: UInt64
  /// Bounds that keep a measurement short.
  static let maxMACs = 1_200_000_000
  static let maxParameters = 16_000_000

  public init(seed: UInt64) { self.seed = seed }

  /// The network of this number: one in four is a whole one. Each is drawn from its own stream, so
  /// that more can be asked for later.
  /// - Throws: `PredictorsError.failed` when 200 draws gave none within the bounds.
  public func network(_ number: Int) throws -> OperatorGraph {
    var random = SeededGenerator(seed: seed, stream: "probe \(number)")
    for _ in 0..<200 {
      let graph = try number % 4 == 3 ? whole(&random) : short(&random)
      let cost = graph.cost
      if cost.macs <= Self.maxMACs, cost.parameters <= Self.maxParameters { return graph }
    }
    throw PredictorsError(.failed, "probe \(number): no network within the bounds in 200 draws")
  }

  /// One to three motifs on a map of random shape.
  private func short(_ random: inout SeededGenerator) throws -> OperatorGraph {
    if random.next(below: 12) == 0 { return try linear(&random) }
    let size = random.pick([4, 7, 7, 8, 14, 14, 16, 20, 28, 28, 32, 40, 56, 56, 64, 80, 112])
    let most = min(1024, 1_000_000 / (size * size))
    let channels = random.channels(8...max(16, most))
    var sketch = NetworkSketch([channels, size, size])
    let style = NetworkStyle.random(&random)
    for _ in 0..<random.pick([1, 1, 2, 3]) {
      let stride = sketch.size > 7 ? random.pick([1, 1, 1, 2]) : 1
      let range = max(8, sketch.channels / 4)...max(16, min(1024, sketch.channels * 2))
      let out = random.pick([true, false]) ? sketch.channels : random.channels(range)
      try random.pick(NetworkMotif.allCases).append(
        to: &sketch, out: out, stride: stride, style: style, &random)
    }
    return sketch.graph()
  }

  /// Matrix products as they end a network.
  private func linear(_ random: inout SeededGenerator) throws -> OperatorGraph {
    let size = random.pick([1, 1, 2, 4, 7])
    var sketch = NetworkSketch([random.logarithmic(16...2048) / (size * size) + 8, size, size])
    for _ in 0..<random.pick([1, 2]) {
      try sketch.linear(random.logarithmic(10...4096), random.pick([.none, .relu]))
    }
    return sketch.graph()
  }

  /// Stem, stages of growing width, classifier.
  private func whole(_ random: inout SeededGenerator) throws -> OperatorGraph {
    let size = random.pick([32, 48, 64, 96, 112, 128, 160, 192, 224])
    var sketch = NetworkSketch([3, size, size])
    let style = NetworkStyle.random(&random)
    let narrow = size > 64
    try sketch.convolution(
      random.pick([16, 24, 32, 64]), kernel: random.pick(narrow ? [3, 3, 5, 7] : [3]),
      stride: narrow ? 2 : 1, norm: style.norm, style.activation)
    if narrow, random.pick([true, false]) { try sketch.pool() }
    let isUniform = random.pick([true, false])
    var motif = random.pick(NetworkMotif.allCases)
    for _ in 0..<random.pick([2, 3, 4, 5]) {
      let out = random.channels(
        max(16, sketch.channels / 2)...min(768, max(24, sketch.channels * 2)))
      if !isUniform { motif = random.pick(NetworkMotif.allCases) }
      for layer in 0..<random.pick([1, 2, 3, 4]) {
        try motif.append(
          to: &sketch, out: out, stride: layer == 0 && sketch.size > 6 ? 2 : 1, style: style,
          &random)
      }
    }
    if random.pick([true, false]) {
      try sketch.convolution(random.channels(64...1280), norm: style.norm, style.activation)
    }
    if sketch.size > 7 || random.next(below: 4) > 0 { try sketch.globalPool() }
    if random.next(below: 4) == 0 { try sketch.linear(random.logarithmic(64...2048), .relu) }
    try sketch.linear(random.pick([10, 100, 1000]))
    return sketch.graph()
  }
}

extension SeededGenerator {
  /// Channels as networks have them: mostly whole multiples of 8.
  mutating func channels(_ range: ClosedRange<Int>) -> Int {
    let drawn = logarithmic(range)
    let step = pick([1, 8, 8, 8, 16, 16])
    return max(range.lowerBound, (drawn + step / 2) / step * step)
  }
}
