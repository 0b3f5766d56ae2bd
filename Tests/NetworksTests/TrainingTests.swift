import Foundation
import Networks
import Tensors
import Testing

@Suite struct ScheduleTests {
  @Test func warmsUpThenFollowsItsCourse() throws {
    let cosine = Schedule(.cosine(floor: 0.1), total: 110, warmUp: 10)
    #expect(cosine.factor(at: 0) == 0.1 && cosine.factor(at: 9) == 1)
    #expect(cosine.factor(at: 10) == 1)
    #expect(abs(cosine.factor(at: 60) - 0.55) < 1e-6)
    #expect(
      abs(cosine.factor(at: 110) - 0.1) < 1e-6 && cosine.factor(at: 500) == cosine.factor(at: 110))
    let steps = Schedule(.steps(at: [5, 8], factor: 0.5), total: 10)
    #expect([0, 4, 5, 7, 8, 20].map(steps.factor(at:)) == [1, 1, 0.5, 0.5, 0.25, 0.25])
    let line = Schedule(.linear(), total: 4)
    #expect((0...4).map(line.factor(at:)) == [1, 0.75, 0.5, 0.25, 0])
    #expect(Schedule(.constant, total: 3).factor(at: 2) == 1)
    #expect(throws: NetworksError.self) { try Schedule(.constant, total: 0).validate() }
    #expect(throws: NetworksError.self) { try Schedule(.constant, total: 3, warmUp: 4).validate() }
  }
}

@Suite struct MixupTests {
  @Test func smoothsTargets() throws {
    let targets = try Mixup.targets([2, 0], classes: 4, smoothing: 0.2)
    #expect(targets.shape == [2, 4])
    let expected: [Float] = [0.05, 0.05, 0.85, 0.05, 0.85, 0.05, 0.05, 0.05]
    for (a, b) in zip(targets.array, expected) { #expect(abs(a - b) <= 1.2e-7) }
    #expect(throws: NetworksError.self) { try Mixup.targets([4], classes: 4) }
  }

  /// Blended rows are convex combinations; Beta(a, a) has mean 1/2 and variance 1 / (8a + 4).
  @Test(arguments: [Float(0.2), 1, 4]) func blendsByBeta(_ alpha: Float) throws {
    var shares: [Double] = []
    for seed in 0..<2000 {
      var random = RandomStream(seed: UInt64(seed))
      // Rows 0 and 1: the blended value of row 1 is its own share, or 1 if it met itself.
      let (pixels, targets) = try Mixup.blend(
        [0, 1], try Mixup.targets([0, 1], classes: 2), alpha: alpha, &random)
      #expect(pixels[1] == targets.array[3] && (0...1).contains(pixels[1]))
      if pixels[0] != 0 { shares.append(Double(pixels[1])) }
    }
    let mean = shares.reduce(0, +) / Double(shares.count)
    let variance = shares.reduce(0) { $0 + ($1 - 0.5) * ($1 - 0.5) } / Double(shares.count)
    let expected = 1 / (8 * Double(alpha) + 4)
    // Five standard errors; the fourth moment of a variable in 0...1 bounds the second figure.
    #expect(abs(mean - 0.5) < 5 * (expected / Double(shares.count)).squareRoot())
    #expect(abs(variance - expected) < 5 * (0.0625 / Double(shares.count)).squareRoot())
  }
}

@Suite struct TrainerTests {
  private let engine: Engine

  init() throws { engine = try Engine(threads: 2) }

  private func network(_ seed: UInt64 = 1) -> MLP {
    var random = RandomStream(seed: seed)
    return MLP([3, 16, 16, 1], &random)
  }

  private func trainer(
    _ network: MLP, _ rule: OptimizerRule = .adamW(), average: Float? = 0.9
  ) throws -> Trainer {
    try Trainer(
      network,
      Trainer.Options(
        rule: rule, rate: 0.01, schedule: Schedule(.cosine(), total: 300, warmUp: 20),
        weightDecay: 0.01, clipNorm: 1, averageDecay: average),
      engine: engine)
  }

  /// A regression on points that depend on the step only.
  private func step(_ trainer: Trainer, _ network: MLP) throws -> Float {
    var random = trainer.random("points")
    let x = random.normal([32, 3])
    let values = x.array
    let y: [Float] = (0..<32).map { (row: Int) -> Float in
      let (a, b, c) = (values[3 * row], values[3 * row + 1], values[3 * row + 2])
      return a * b + abs(c)
    }
    let target = try Tensor(y, shape: [32, 1])
    return try trainer.train { pass in
      try network(pass.tape.constant(x), pass).meanSquaredError(pass.tape.constant(target))
    }
  }

  @Test(arguments: [
    OptimizerRule.sgd(), .sgd(momentum: 0, nesterov: false), .adam(), .adamW(),
    .rmsProp(alpha: 0.9, momentum: 0.5),
  ])
  func learns(_ rule: OptimizerRule) throws {
    let network = network()
    let trainer = try trainer(network, rule, average: nil)
    var losses: [Float] = []
    for _ in 0..<300 { losses.append(try step(trainer, network)) }
    let (early, late) = (losses[..<30].reduce(0, +), losses[270...].reduce(0, +))
    #expect(late < early * 0.8, "\(rule): \(early) to \(late)")
  }

  @Test(arguments: [
    OptimizerRule.sgd(), .sgd(momentum: 0, nesterov: false), .adam(), .rmsProp(),
    .rmsProp(momentum: 0.9),
  ])
  func resumesBitForBit(_ rule: OptimizerRule) throws {
    try withTemporaryFolder { folder in
      let path = "\(folder)/checkpoint.safetensors"
      let whole = network()
      let reference = try trainer(whole, rule)
      for _ in 0..<20 { _ = try step(reference, whole) }

      let first = network()
      let before = try trainer(first, rule)
      for _ in 0..<11 { _ = try step(before, first) }
      try before.save(to: path)
      try Data([1]).write(to: URL(fileURLWithPath: path + ".77.tmp"))

      let second = network(99)
      let after = try trainer(second, rule)
      #expect(try after.resume(from: path))
      #expect(after.step == 11)
      for _ in 0..<9 { _ = try step(after, second) }
      for (key, value) in try whole.state() {
        #expect(try second.state()[key]?.isIdentical(to: value) == true, "\(key)")
      }
      for (key, value) in reference.average?.state() ?? [:] {
        #expect(after.average?.state()[key]?.isIdentical(to: value) == true, "\(key)")
      }
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder).count == 1)
    }
  }

  @Test func refusesForeignAndDamagedCheckpoints() throws {
    try withTemporaryFolder { folder in
      let path = "\(folder)/checkpoint.safetensors"
      let one = network()
      let trainer = try trainer(one)
      #expect(try !trainer.resume(from: path))
      try trainer.save(to: path)
      #expect(throws: NetworksError.self) { try self.trainer(network(), .sgd()).resume(from: path) }
      var random = RandomStream(seed: 1)
      let wider = MLP([3, 17, 16, 1], &random)
      let error = #expect(throws: NetworksError.self) { try self.trainer(wider).resume(from: path) }
      #expect(error?.description.contains("layers.0.weight") == true)
      let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
      try bytes.prefix(bytes.count - 9).write(to: URL(fileURLWithPath: path))
      #expect(throws: TensorError.self) { try self.trainer(network()).resume(from: path) }
    }
  }

  @Test func stopsWhenTheLossDiverges() throws {
    let network = network()
    let trainer = try trainer(network)
    let before = try network.state()
    let error = #expect(throws: NetworksError.self) {
      try trainer.train { pass in
        try network(pass.tape.constant(Tensor(repeating: .infinity, shape: [1, 3])), pass).sum()
      }
    }
    #expect(error?.code == .diverged)
    for (key, value) in try network.state() { #expect(before[key]?.isIdentical(to: value) == true) }
  }

  @Test func clipsByValueAndAccumulates() throws {
    let parameter = Parameter(Tensor([1, 2]))
    final class One: Layer {
      let parameter: Parameter
      init(_ parameter: Parameter) { self.parameter = parameter }
      var members: [Member] { [.parameter("w", parameter, .table)] }
    }
    let optimizer = Optimizer(One(parameter), .sgd(momentum: 0, nesterov: false))
    try parameter.setGradient(Tensor([-8, 0.25]))
    try optimizer.step(rate: 1, clipValue: 0.5, engine: engine)
    #expect(parameter.value.array == [1.5, 1.75])
    #expect(parameter.gradient == nil)
  }

  @Test func averagesMoveAndSwapBack() throws {
    let network = network()
    let average = MovingAverage(network, decay: 0.5)
    let weight = network.layers[0].weight
    let old = weight.value.array
    weight.value = Tensor(zeros: weight.value.shape)
    average.update()
    average.withAverages { #expect(weight.value.array == old.map { $0 / 2 }) }
    #expect(weight.value.array.allSatisfy { $0 == 0 })
  }
}
