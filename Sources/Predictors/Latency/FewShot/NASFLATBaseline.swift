internal import Tensors

/// A predictor like NASFLAT (Akhauri and Abdelfattah 2024, arXiv 2403.02446): a learned embedding a
/// device beside the network's, a pairwise hinge loss, and transfer that starts from the embedding of
/// the source device that orders the samples best.
///
/// - Note: Our encoding stands for its graph network and supplementary encodings.
struct NASFLATBaseline {
  private static let embedding = 8
  private static let samples = 512
  private static let batch = 32
  private static let epochs = 30

  private var layers: [Tensor]
  /// `[devices, embedding]`, one tensor a device.
  private var devices: [Tensor]
  private let seed: UInt64

  /// - Parameter latencies: by source device, in the order of the networks.
  init(features: [[Float]], latencies: [[Float]], seed: UInt64) throws {
    var random = RandomStream(seed: seed).derived("nasflat")
    self.seed = seed
    let input = features[0].count
    layers = BaselineNetwork.layers(
      [input + Self.embedding, 200, 200, 200, 1], random: &random)
    devices = latencies.map { _ in random.normal([1, Self.embedding], deviation: 0.1) }
    let chosen = latencies.map { _ in
      Array(random.permutation(features.count).prefix(Self.samples))
    }
    var adams = devices.map { BaselineAdam([$0]) }
    var adam = BaselineAdam(layers)
    for epoch in 0..<Self.epochs {
      let rate = 1e-3 * (1 - Float(epoch) / Float(Self.epochs))
      for start in stride(from: 0, to: Self.samples, by: Self.batch) {
        for device in devices.indices {
          let rows = chosen[device].dropFirst(start).prefix(Self.batch)
          guard rows.count > 1 else { continue }
          try Self.step(
            rows.map { features[$0] }, rows.map { latencies[device][$0] }, &layers,
            &devices[device], &adam, &adams[device], rate: rate)
        }
      }
    }
  }

  /// Scores after transfer to a device that some networks were measured on.
  func scores(_ asked: [[Float]], features: [[Float]], latencies: [Float]) throws -> [Double] {
    let start = try devices.max { a, b in
      try Self.rank(features, latencies, layers, a) < Self.rank(features, latencies, layers, b)
    }!
    var adapted = layers
    var device = start
    var adam = BaselineAdam(adapted)
    var own = BaselineAdam([device])
    for _ in 0..<Self.epochs {
      try Self.step(features, latencies, &adapted, &device, &adam, &own, rate: 3e-4)
    }
    return try Self.forward(asked, adapted, device)
  }

  private static func rank(
    _ features: [[Float]], _ latencies: [Float], _ layers: [Tensor], _ device: Tensor
  ) throws -> Double {
    RankStatistics.spearman(
      try forward(features, layers, device), latencies.map(Double.init))
  }

  private static func forward(_ features: [[Float]], _ layers: [Tensor], _ device: Tensor) throws
    -> [Double]
  {
    let tape = Tape(try Engine(threads: 1), recording: false)
    return try forward(
      tape, features, layers.map { tape.constant($0) }, tape.constant(device)
    ).value.array.map(Double.init)
  }

  private static func forward(
    _ tape: Tape, _ features: [[Float]], _ layers: [Variable], _ device: Variable
  ) throws -> Variable {
    let input = try Tensor(features.flatMap { $0 }, shape: [features.count, features[0].count])
    let whole = try Variable.concatenated(
      [tape.constant(input), device.broadcast(to: [features.count, embedding])], axis: 1)
    return try BaselineNetwork.forward(whole, layers[...], lastIsLinear: true)
      .reshaped([features.count])
  }

  private static func step(
    _ features: [[Float]], _ latencies: [Float], _ layers: inout [Tensor],
    _ device: inout Tensor, _ adam: inout BaselineAdam, _ own: inout BaselineAdam, rate: Float
  ) throws {
    guard Set(latencies).count > 1 else { return }
    let tape = Tape(try Engine(threads: 1))
    let leaves = layers.map { tape.leaf($0) }
    let embedded = tape.leaf(device)
    let loss = try forward(tape, features, leaves, embedded)
      .pairwiseHinge(target: try Tensor(latencies, shape: [latencies.count]))
    let gradients = try tape.gradients(of: loss, for: leaves + [embedded]).map { $0.value.array }
    adam.step(&layers, gradients: Array(gradients.dropLast()), rate: rate)
    var single = [device]
    own.step(&single, gradients: [gradients.last!], rate: rate)
    device = single[0]
  }
}
