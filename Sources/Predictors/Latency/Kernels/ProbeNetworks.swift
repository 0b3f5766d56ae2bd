public import Architectures

/// Networks drawn at random to learn a device's kernels from: single layers, short ones of a few, in
/// which one kernel decides, and whole ones, in which kernels stand among others as they do in practice. They come
/// from no family.
public struct ProbeNetworks: Sendable {
  public let seed: UInt64
  /// Bounds that keep a measurement short.
  static let maxMACs = 2_000_000_000
  static let maxParameters = 16_000_000
  /// Every other whole network has at least so many bytes of weights and results, more than caches
  /// hold.
  static let largeBytes = 14_000_000

  public init(seed: UInt64) { self.seed = seed }

  /// The network of this number: of four, two are single layers, one is short and one whole. Each
  /// is drawn from its own stream, so that more can be asked for later.
  ///
  /// - Parameter variation: 0 is the probe itself; others have the same layers with channels between
  ///   0.5 and 1.2 times as many, as nn-Meter samples around what it predicts badly.
  /// - Throws: `PredictorsError.failed` when 1,000 draws gave none within the bounds.
  public func network(_ number: Int, variation: Int = 0) throws -> OperatorGraph {
    var random = ProbeDraw(seed: seed, number: number, variation: variation)
    for _ in 0..<1000 {
      let graph =
        switch number % 4 {
        case 3: try whole(&random)
        case 2: try short(&random)
        default: try single(&random)
        }
      let cost = graph.cost
      let bytes = cost.weightBytes + cost.activationBytes
      if cost.macs <= Self.maxMACs, cost.parameters <= Self.maxParameters,
        number % 8 != 7 || bytes >= Self.largeBytes
      {
        return graph
      }
    }
    throw PredictorsError(.failed, "probe \(number): no network within the bounds in 1,000 draws")
  }

  /// One convolution with normalisation and activation, of the shapes that networks have.
  private func single(_ random: inout ProbeDraw) throws -> OperatorGraph {
    if random.generator.next(below: 12) == 0 { return try linear(&random) }
    let size = random.generator.pick([
      4, 7, 7, 8, 10, 14, 14, 16, 20, 28, 28, 32, 40, 56, 56, 80, 112, 128,
    ])
    let most = max(24, min(1280, 10_000 / size))
    let channels = random.generator.next(below: 16) == 0 ? 3 : random.channels(8...most)
    var sketch = NetworkSketch([channels, size, size])
    let style = NetworkStyle.random(&random.generator)
    let stride = size > 4 ? random.generator.pick([1, 1, 1, 2]) : 1
    let out = random.channels(8...most)
    let kernel = random.generator.pick([3, 3, 3, 5, 7])
    switch random.generator.next(below: 8) {
    case 0, 1, 2: try sketch.convolution(out, kernel: 1, stride: stride, style.activation)
    case 3, 4: try sketch.convolution(out, kernel: kernel, stride: stride, style.activation)
    case 5, 6: try sketch.depthwise(kernel: kernel, stride: stride, style.activation)
    default:
      // Groups of whole vectors are computed otherwise than others.
      let width = random.generator.pick([8, 16, 16, 24, 32, 64])
      let groups = max(2, channels / width)
      sketch = NetworkSketch([groups * width, size, size])
      let each = random.generator.pick([width, width, 2 * width])
      try sketch.convolution(
        groups * each, kernel: random.generator.pick([1, 3, 3]), stride: stride, groups: groups,
        style.activation)
    }
    return sketch.graph()
  }

  /// One to three motifs on a map of random shape.
  private func short(_ random: inout ProbeDraw) throws -> OperatorGraph {
    if random.generator.next(below: 12) == 0 { return try linear(&random) }
    let size = random.generator.pick([
      4, 7, 7, 8, 14, 14, 16, 20, 28, 28, 32, 40, 56, 56, 64, 80, 112,
    ])
    let most = min(1024, 1_000_000 / (size * size))
    let channels = random.channels(8...max(16, most))
    var sketch = NetworkSketch([channels, size, size])
    let style = NetworkStyle.random(&random.generator)
    for _ in 0..<random.generator.pick([1, 1, 2, 3]) {
      let stride = sketch.size > 7 ? random.generator.pick([1, 1, 1, 2]) : 1
      let range = max(8, sketch.channels / 4)...max(16, min(1024, sketch.channels * 2))
      let out = random.generator.pick([true, false]) ? sketch.channels : random.channels(range)
      try random.generator.pick(NetworkMotif.allCases).append(
        to: &sketch, out: out, stride: stride, style: style, &random.generator)
    }
    return sketch.graph()
  }

  /// Matrix products as they end a network.
  private func linear(_ random: inout ProbeDraw) throws -> OperatorGraph {
    let size = random.generator.pick([1, 1, 2, 4, 7])
    var sketch = NetworkSketch([
      random.generator.logarithmic(16...2048) / (size * size) + 8, size, size,
    ])
    for _ in 0..<random.generator.pick([1, 2]) {
      try sketch.linear(
        random.generator.logarithmic(10...4096), random.generator.pick([.none, .relu]))
    }
    return sketch.graph()
  }

  /// Stem, stages of growing width, classifier.
  private func whole(_ random: inout ProbeDraw) throws -> OperatorGraph {
    let size = random.generator.pick([32, 48, 64, 96, 112, 128, 160, 192, 224])
    var sketch = NetworkSketch([3, size, size])
    let style = NetworkStyle.random(&random.generator)
    let narrow = size > 64
    try sketch.convolution(
      random.generator.pick([16, 24, 32, 64]),
      kernel: random.generator.pick(narrow ? [3, 3, 5, 7] : [3]),
      stride: narrow ? 2 : 1, norm: style.norm, style.activation)
    if narrow, random.generator.pick([true, false]) { try sketch.pool() }
    let isUniform = random.generator.pick([true, false])
    var motif = random.generator.pick(NetworkMotif.allCases)
    for _ in 0..<random.generator.pick([2, 3, 4, 5]) {
      let least = max(16, random.generator.pick([sketch.channels / 2, sketch.channels]))
      let out = random.channels(min(1024, least)...min(1280, max(24, sketch.channels * 3)))
      if !isUniform { motif = random.generator.pick(NetworkMotif.allCases) }
      for layer in 0..<random.generator.pick([1, 2, 3, 4, 6]) {
        try motif.append(
          to: &sketch, out: out, stride: layer == 0 && sketch.size > 6 ? 2 : 1, style: style,
          &random.generator)
      }
    }
    if random.generator.pick([true, false]) {
      try sketch.convolution(random.channels(64...1280), norm: style.norm, style.activation)
    }
    if sketch.size > 7 || random.generator.next(below: 4) > 0 { try sketch.globalPool() }
    if random.generator.next(below: 4) == 0 {
      try sketch.linear(random.generator.logarithmic(64...2048), .relu)
    }
    try sketch.linear(random.generator.pick([10, 100, 1000]))
    return sketch.graph()
  }
}

/// The random numbers of one probe.
struct ProbeDraw {
  var generator: SeededGenerator
  /// Varies the channels; they are as drawn without it.
  private var scale: SeededGenerator?

  init(seed: UInt64, number: Int, variation: Int) {
    generator = SeededGenerator(seed: seed, stream: "probe \(number)")
    if variation > 0 {
      scale = SeededGenerator(seed: seed, stream: "probe \(number) variation \(variation)")
    }
  }

  /// Channels as networks have them: mostly whole multiples of 8.
  mutating func channels(_ range: ClosedRange<Int>) -> Int {
    let drawn = generator.logarithmic(range)
    let step = generator.pick([1, 8, 8, 8, 16, 16])
    let factor = scale.map { _ in 0.5 + 0.7 * (scale?.nextUniform() ?? 0) } ?? 1
    let channels = Int(Double(drawn) * factor)
    return max(range.lowerBound, (channels + step / 2) / step * step)
  }
}
