import Testing

@testable import Tensors

@Suite struct EngineTests {
  /// A step of a small network: expand, depthwise, project, classify.
  struct Network {
    let parameters: [Parameter]

    init(seed: UInt64) {
      var random = RandomStream(seed: seed)
      let shapes = [
        [3, 3, 3, 8], [8], [8], [1, 1, 8, 48], [48], [48], [5, 5, 48], [48], [48], [1, 1, 48, 8],
        [8], [8], [8, 10],
      ]
      parameters = shapes.map { shape in
        Parameter(
          shape.count == 1
            ? Tensor(repeating: 1, shape: shape) : random.normal(shape, deviation: 0.2))
      }
    }

    func loss(_ tape: Tape, _ images: Tensor, _ labels: [Int]) throws -> Variable {
      let p = parameters.map { tape.parameter($0) }
      var x = try tape.constant(images)
        .convolution(p[0], Convolution(kernel: 3), moments: true)
        .batchNorm(scale: p[1], shift: p[2], activation: .relu).0
      let y = try x.convolution(p[3], moments: true)
        .batchNorm(scale: p[4], shift: p[5], activation: .relu6).0
        .convolution(p[6], Convolution(kernel: 5), moments: true)
        .batchNorm(scale: p[7], shift: p[8], activation: .hardSwish).0
        .convolution(p[9], moments: true).batchNorm(scale: p[10], shift: p[11]).0
      x = try x + y
      return try x.globalAveragePool().linear(p[12]).crossEntropy(labels: labels)
    }

    func step(_ engine: Engine, _ images: Tensor, _ labels: [Int]) throws -> Float {
      let tape = Tape(engine)
      let loss = try loss(tape, images, labels)
      try loss.backward()
      for parameter in parameters {
        guard let gradient = parameter.gradient else { continue }
        parameter.value.add(gradient, scale: -0.05)
        parameter.zeroGradient()
      }
      return loss.scalar
    }
  }

  func batch() -> (Tensor, [Int]) {
    var random = RandomStream(seed: 7)
    return (random.normal([8, 8, 8, 3]), (0..<8).map { $0 % 10 })
  }

  @Test(arguments: [1, 2, 3]) func sameSeedSameBits(threads: Int) throws {
    let (images, labels) = batch()
    let runs = try (0..<2).map { _ in
      let network = Network(seed: 1)
      let engine = try Engine(threads: threads)
      for _ in 0..<5 { _ = try network.step(engine, images, labels) }
      return network.parameters.map(\.value)
    }
    for (a, b) in zip(runs[0], runs[1]) { #expect(a.isIdentical(to: b)) }
  }

  @Test func theLossFalls() throws {
    let (images, labels) = batch()
    let network = Network(seed: 1)
    let engine = try Engine(threads: 2)
    let losses = try (0..<12).map { _ in try network.step(engine, images, labels) }
    #expect(losses.last! < losses[0] - 0.3)
  }

  @Test func aSteadyStepAllocatesNothing() throws {
    let (images, labels) = batch()
    let network = Network(seed: 1)
    let engine = try Engine(threads: 2)
    for _ in 0..<3 { _ = try network.step(engine, images, labels) }
    let peak = engine.memory.peak
    for _ in 0..<4 { _ = try network.step(engine, images, labels) }
    #expect(engine.memory.peak == peak)
  }

  @Test func deferredValuesEqualStoredOnes() throws {
    // Batch norm's value asked for (stored) or left to the next convolution gives the same.
    let engine = try Engine()
    var random = RandomStream(seed: 2)
    let (x, w) = (random.normal([2, 5, 6, 20]), random.normal([1, 1, 20, 7]))
    let tape = Tape(engine)
    let (scale, shift) = (tape.constant(random.normal([20])), tape.constant(random.normal([20])))
    let a = try tape.constant(x).batchNorm(scale: scale, shift: shift, activation: .swish).0
    let b = try tape.constant(x).batchNorm(scale: scale, shift: shift, activation: .swish).0
    _ = b.value
    let (y, z) = (
      try a.convolution(tape.constant(w)).value, try b.convolution(tape.constant(w)).value
    )
    #expect(y.isIdentical(to: z))
  }

  @Test(arguments: [
    (Convolution(kernel: 7), 7), (Convolution(kernel: 5, stride: 2), 5),
    (Convolution(kernel: 3, dilation: 4), 3),
    (Convolution(padding: .init(top: 9, left: 1, bottom: 0, right: 2)), 3),
    (Convolution(stride: .init(3, 1), padding: .init(top: 0, left: 2, bottom: 5, right: 2)), 5),
  ]) func depthwiseOfFewImagesIsCutIntoRows(options: Convolution, kernel: Int) throws {
    // Each pixel is computed the same way, whoever computes it; the sums of parts are added.
    var random = RandomStream(seed: 3)
    let (x, w) = (random.normal([1, 29, 31, 72]), random.normal([kernel, kernel, 72]))
    let (scale, shift) = (random.normal([72]), random.normal([72]))
    let runs = try [1, 2, 3, 7].map { threads in
      let tape = Tape(try Engine(threads: threads))
      let (a, b) = (tape.constant(scale), tape.constant(shift))
      let stored = try tape.constant(x).convolution(tape.constant(w), options)
      let deferred = try tape.constant(x).batchNorm(scale: a, shift: b, activation: .swish).0
        .convolution(tape.constant(w), options, moments: true)
        .batchNorm(scale: a, shift: b).0
      return (stored.value, deferred.value)
    }
    for run in runs.dropFirst() {
      #expect(run.0.isIdentical(to: runs[0].0))
      let difference = zip(run.1.array, runs[0].1.array).map { abs($0 - $1) }.max()
      #expect(try #require(difference) < 1e-4)
    }
  }

  @Test func depthwiseIsCutByItsWork() throws {
    // 7 x 7 x 144 weights on 32 x 32 pixels: 7.2 M multiply-adds, well worth all parts.
    let plan = ConvolutionPlan(
      input: [1, 32, 32, 144], output: [1, 32, 32, 144], kernel: .init(7),
      options: Convolution(kernel: 7, groups: 144), depthwise: true)
    let weight = Tensor(zeros: [7, 7, 144])
    #expect(plan.parts(32 * 9, weight, 2) == 8)
    #expect(plan.parts(3, weight, 2) == 3)
    #expect(plan.parts(32 * 9, weight, 1) == 1)
  }

  @Test func productsEqualOpenBLAS() throws {
    let engine = try Engine(threads: 2)
    for seed in 0..<40 {
      var random = RandomStream(seed: UInt64(seed))
      let (m, n) = (random.integer(below: 200) + 1, random.integer(below: 150) + 1)
      let k = random.integer(below: 300) + 1
      let (a, b) = (random.uniform([m, k], in: -1..<1), random.uniform([k, n], in: -1..<1))
      let expected = OpenBLAS.product(a, b).array
      let at = try a.permuted([1, 0])
      let bt = try b.permuted([1, 0])
      let tolerance = 8 * Float.ulpOfOne * Float(k).squareRoot()
      for (ta, tb) in [(false, false), (true, false), (false, true), (true, true)] {
        let c = try Tensor.product(
          ta ? at : a, transposed: ta, tb ? bt : b, transposed: tb, engine: engine)
        let error = zip(c.array, expected).map { abs($0 - $1) }.max() ?? 0
        #expect(error <= tolerance, "\(m)x\(k)x\(n), seed \(seed), \(ta), \(tb)")
      }
    }
  }

  @Test func poolsRunEveryTaskOnce() throws {
    let engine = try Engine(threads: 3)
    for count in [0, 1, 2, 7, 1000] {
      var hits = [Int](repeating: 0, count: count)
      hits.withUnsafeMutableBufferPointer { hits in
        let base = hits.baseAddress
        engine.parallel(count) { i in base![i] += 1 }
      }
      #expect(hits.allSatisfy { $0 == 1 })
    }
  }

  @Test func errorsNameOperatorAndShapes() throws {
    let tape = Tape(try Engine())
    let x = tape.constant(Tensor(zeros: [1, 4, 4, 3]))
    let error = #expect(throws: TensorError.self) {
      try x.convolution(tape.constant(Tensor(zeros: [3, 3, 4, 8])))
    }
    #expect(error?.message.contains("[1, 4, 4, 3]") == true)
    #expect(error?.message.contains("[3, 3, 4, 8]") == true)
    #expect(throws: TensorError.self) { try x + tape.constant(Tensor(zeros: [5])) }
    #expect(throws: TensorError.self) { try x.linear(tape.constant(Tensor(zeros: [4, 2]))) }
  }

  @Test func recalibrationWeightsByImages() throws {
    var statistics = StatisticsRecalibration()
    let one = Tensor([1])
    let three = Tensor([3])
    statistics.add(BatchStatistics(mean: one, variance: one, count: 40, images: 10))
    statistics.add(BatchStatistics(mean: three, variance: three, count: 120, images: 30))
    #expect(statistics.result?.mean.array == [2.5])
  }
}
