import Networks
import Tensors
import Testing

/// The network and the run of Docs/networks.md.
private final class SmallNetwork: UnaryLayer {
  let stem: ConvNorm
  let block: MBConv
  let classifier: Linear

  init(classes: Int, _ random: inout RandomStream) {
    stem = ConvNorm(3, 16, kernel: 3, stride: 2, activation: .relu, &random)
    block = MBConv(16, 16, .init(kernel: 5, expand: 2), &random)
    classifier = Linear(16, classes, &random)
  }

  var members: [Member] {
    [.layer("stem", stem), .layer("blocks.0.conv", block), .layer("classifier", classifier)]
  }

  func callAsFunction(_ x: Variable, _ pass: Pass) throws -> Variable {
    try classifier(block(stem(x, pass), pass).mean(over: [1, 2]), pass)
  }
}

@Suite struct ConvolutionalTrainingTests {
  private func run(_ checkpoint: String) throws -> (accuracy: Float, state: [String: Tensor]) {
    let images = try MemoryImages.procedural(count: 800, classes: 4, size: 16, seed: 1)
    let (training, validation) = try images.split(validation: 200, seed: 1)
    let normalization = try training.normalization()
    let loader = try BatchLoader(
      training,
      .init(batchSize: 50, augmentation: .init(crop: .padded(2)), normalization: normalization))
    let engine = try Engine(threads: 2)
    var random = RandomStream(seed: 1)
    let network = SmallNetwork(classes: 4, &random)
    let steps = 4 * loader.stepsPerEpoch
    let trainer = try Trainer(
      network,
      .init(rate: 0.1, schedule: .init(.cosine(), total: steps, warmUp: 5), weightDecay: 5e-4),
      engine: engine)
    try trainer.resume(from: checkpoint)
    try trainer.fit(loader, .init(epochs: 4, labelSmoothing: 0.1)) { x, pass in
      try network(x, pass)
    } progress: { step, loss, batch in
      if step.isMultiple(of: 20) { try trainer.save(to: checkpoint) }
    }
    let evaluation = try BatchLoader(
      validation,
      .init(batchSize: 100, normalization: normalization, shuffle: false, dropsLast: false))
    let accuracy = try top1Accuracy(evaluation, engine: engine) { x, pass in
      try network(x, pass)
    }
    return (accuracy, try network.state())
  }

  @Test func learnsAndIsDeterministic() throws {
    let first = try withTemporaryFolder { try run("\($0)/a.safetensors") }
    // Four classes: a quarter is chance.
    #expect(first.accuracy > 0.7)
    let second = try withTemporaryFolder { folder in
      _ = try run("\(folder)/a.safetensors")
      // Again from the last checkpoint, in the middle of the last epoch.
      return try run("\(folder)/a.safetensors")
    }
    #expect(second.accuracy == first.accuracy)
    for (key, value) in first.state {
      #expect(second.state[key]?.isIdentical(to: value) == true, "\(key)")
    }
  }

  @Test func pathsAreOnceForAlls() throws {
    var random = RandomStream(seed: 1)
    let paths = Set(SmallNetwork(classes: 4, &random).namedParameters.map(\.path))
    for path in [
      "blocks.0.conv.depth_conv.conv.weight", "blocks.0.conv.inverted_bottleneck.bn.running_mean",
      "blocks.0.conv.point_linear.conv.weight", "stem.bn.weight", "classifier.bias",
    ] {
      #expect(paths.contains(path))
    }
  }

  @Test func batchesAndLanesGiveTheSameLogits() throws {
    let engine = try Engine(threads: 2)
    var random = RandomStream(seed: 4)
    let network = SmallNetwork(classes: 4, &random)
    let x = random.normal([7, 16, 16, 3])
    let whole = try network(
      Pass.inference(engine).tape.constant(x), Pass.inference(engine)
    ).value.array
    for chunk in [nil, 1, 2, 7] {
      let inference = try Inference(engine: engine, chunk: chunk) { try network($0, $1) }
      let parts = try inference(x).array
      // The kernels may cut a batch elsewhere and add in another order.
      for (a, b) in zip(whole, parts) { #expect(abs(a - b) <= 1e-5 * max(1, abs(b))) }
    }
    #expect(throws: TensorError.self) {
      try Inference(engine: engine) { try network($0, $1) }(random.normal([4, 16, 16, 5]))
    }
  }

  /// Norms folded into convolutions, or computed one by one: the same logits.
  @Test func foldedNormsGiveTheSameLogits() throws {
    let engine = try Engine(threads: 2)
    var random = RandomStream(seed: 4)
    let network = ResNet20(classes: 10, &random)
    for _ in 0..<3 {
      let pass = Pass(Tape(engine), isTraining: true)
      _ = try network(pass.tape.constant(random.normal([8, 32, 32, 3])), pass).value
    }
    let x = random.normal([3, 32, 32, 3])
    let plain = Pass(Tape(engine), isTraining: false)
    let expected = try network(plain.tape.constant(x), plain).value.array
    let largest = expected.map(abs).max() ?? 0
    let ours = try Inference(engine: engine) { try network($0, $1) }(x).array
    // Twenty layers, each a few hundred roundings long.
    for (a, b) in zip(ours, expected) {
      #expect(abs(a - b) <= 20 * 16 * 0x1p-24 * Float(576).squareRoot() * largest)
    }
  }

  @Test func recalibrationTakesTheMeanOverBatches() throws {
    let engine = try Engine(threads: 1)
    let norm = BatchNorm(2)
    final class One: Layer {
      let norm: BatchNorm
      init(_ norm: BatchNorm) { self.norm = norm }
      var members: [Member] { [.layer("bn", norm)] }
    }
    let batches: [[Float]] = [[1, 0, 3, 0], [5, 2, 9, 6]]
    try One(norm).recalibrate {
      for batch in batches {
        let pass = Pass.inference(engine)
        _ = try norm(pass.tape.constant(Tensor(batch, shape: [2, 2])), pass).value
      }
    }
    #expect(norm.runningMean.value.array == [4.5, 2])
    #expect(norm.runningVariance.value.array == [2.5, 2])
    #expect(norm.recalibration == nil)
  }
}
