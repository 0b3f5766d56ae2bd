internal import Tensors

/// HELP (Lee et al. 2021, arXiv 2106.08630) in its own form on our encoding: a device is the
/// min-max scaled latencies of reference networks, which condition a network that Meta-SGD adapts
/// by two second-order steps.
///
/// - Note: Deviations: our encoding stands for one-hot inputs; the modulator is deterministic and
///   scales the inputs of the last three layers; the references are also the support set, so that
///   all measurements count; fewer and smaller episodes than the publication's.
struct HELPBaseline {
  private static let width = 100
  private static let episodes = 300
  private static let devicesAnEpisode = 3
  private static let queries = 64

  private var weights: [Tensor]
  /// Meta-SGD's rate of each weight.
  private var rates: [Tensor]
  private let references: Tensor

  /// Trains on source devices.
  /// - Parameters:
  ///   - features: `[networks, width]` of the source networks, standardised.
  ///   - latencies: by source device, in the order of the networks.
  ///   - references: features of the reference networks.
  ///   - referenceLatencies: by source device.
  init(
    features: [[Float]], latencies: [[Float]], references: [[Float]],
    referenceLatencies: [[Float]], seed: UInt64
  ) throws {
    var random = RandomStream(seed: seed).derived("help")
    let (count, input) = (references.count, references[0].count)
    let width = Self.width
    self.references = try Tensor(references.flatMap { $0 }, shape: [count, input])
    weights =
      BaselineNetwork.layers([input, width, width], random: &random)
      + BaselineNetwork.layers([count, width, width], random: &random)
      + BaselineNetwork.layers([2 * width, 2 * width, 2 * width, 1], random: &random)
      + BaselineNetwork.layers([count, 10, 6 * width], random: &random)
    rates = weights.map { Tensor(repeating: 1e-2, shape: $0.shape) }
    let engine = try Engine(threads: 1)
    var adam = BaselineAdam(weights + rates)
    for _ in 0..<Self.episodes {
      var sums = (weights + rates).map { [Float](repeating: 0, count: $0.count) }
      for _ in 0..<Self.devicesAnEpisode {
        let device = random.integer(below: latencies.count)
        let rows = (0..<Self.queries).map { _ in random.integer(below: features.count) }
        let tape = Tape(engine)
        let leaves = (weights + rates).map { tape.leaf($0) }
        let (embedding, scale) = Self.scaled(referenceLatencies[device])
        let adapted = try adapt(
          tape, Array(leaves[..<weights.count]), Array(leaves[weights.count...]), embedding)
        let query = try Tensor(rows.flatMap { features[$0] }, shape: [rows.count, input])
        let target = try Tensor(
          rows.map { scale(latencies[device][$0]) }, shape: [rows.count, 1])
        let loss = try Self.forward(tape.constant(query), adapted, embedding)
          .meanSquaredError(tape.constant(target))
        for (index, gradient) in try tape.gradients(of: loss, for: leaves).enumerated() {
          for (i, value) in gradient.value.array.enumerated() where value.isFinite {
            sums[index][i] += max(-1, min(1, value)) / Float(Self.devicesAnEpisode)
          }
        }
      }
      var tensors = weights + rates
      adam.step(&tensors, gradients: sums, rate: 1e-3)
      weights = Array(tensors[..<weights.count])
      rates = Array(tensors[weights.count...])
    }
  }

  /// Scores of networks on a device known by its reference latencies.
  func scores(_ features: [[Float]], references latencies: [Float]) throws -> [Double] {
    let tape = Tape(try Engine(threads: 1))
    let (embedding, _) = Self.scaled(latencies)
    let adapted = try adapt(
      tape, weights.map { tape.leaf($0) }, rates.map { tape.leaf($0) }, embedding)
    let plain = adapted.map { $0.value }
    let inference = Tape(try Engine(threads: 1), recording: false)
    let input = try Tensor(features.flatMap { $0 }, shape: [features.count, features[0].count])
    return try Self.forward(
      inference.constant(input), plain.map { inference.constant($0) }, embedding
    ).value.array.map(Double.init)
  }

  /// Two steps of Meta-SGD on the references.
  private func adapt(
    _ tape: Tape, _ weights: [Variable], _ rates: [Variable], _ embedding: [Float]
  ) throws -> [Variable] {
    let target = try Tensor(embedding, shape: [embedding.count, 1])
    var current = weights
    for _ in 0..<2 {
      let loss = try Self.forward(tape.constant(references), current, embedding)
        .meanSquaredError(tape.constant(target))
      let gradients = try tape.gradients(of: loss, for: current, createGraph: true)
      current = try zip(current, zip(rates, gradients)).map { weight, step in
        try weight - step.0 * step.1
      }
    }
    return current
  }

  private static func forward(_ input: Variable, _ weights: [Variable], _ embedding: [Float])
    throws -> Variable
  {
    let tape = input.tape
    let device = tape.constant(try Tensor(embedding, shape: [1, embedding.count]))
    let network = try BaselineNetwork.forward(input, weights[0..<4], lastIsLinear: false)
    let hardware = try BaselineNetwork.forward(device, weights[4..<8], lastIsLinear: false)
    let z = try BaselineNetwork.forward(device, weights[14..<18], lastIsLinear: true)
    var value = try Variable.concatenated(
      [network, hardware.broadcast(to: [input.shape[0], width])], axis: 1)
    for layer in 0..<3 {
      let part = try z.slice(axis: 1, layer * 2 * width..<(layer + 1) * 2 * width)
      value = try value * (part * 0.01 + 1)
      value = try value.linear(weights[8 + 2 * layer], bias: weights[9 + 2 * layer])
      if layer < 2 { value = try BaselineNetwork.relu(value) }
    }
    return value
  }

  /// Latencies scaled to 0...1 over the references, and that scale.
  private static func scaled(_ latencies: [Float]) -> ([Float], (Float) -> Float) {
    let (low, high) = (latencies.min() ?? 0, latencies.max() ?? 1)
    let span = max(high - low, 1e-6)
    return (latencies.map { ($0 - low) / span }, { ($0 - low) / span })
  }
}
