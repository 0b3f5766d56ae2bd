import Foundation
import Testing

@testable import Tensors

@Suite struct GradientTests {
  /// Every operator is tested by being listed here or in the lists this one collects.
  static let all: [GradientCheck] =
    elementwise + products + losses + ConvolutionGradients.all
    + LayerGradients.all + SecondOrderGradients.all

  static let elementwise: [GradientCheck] =
    [
      GradientCheck(name: "add, broadcast", shapes: [[3, 1, 4], [5, 1]]) { try $0[0] + $0[1] },
      GradientCheck(name: "subtract", shapes: [[3, 4], [4]]) { try $0[0] - $0[1] },
      GradientCheck(name: "multiply", shapes: [[3, 4], [3, 1]]) { try $0[0] * $0[1] },
      GradientCheck(name: "divide", shapes: [[3, 4], [4]], range: 1..<2) { try $0[0] / $0[1] },
      GradientCheck(name: "affine", shapes: [[7]]) { $0[0] * 3 + 1 },
      GradientCheck(name: "exp", shapes: [[9]]) { $0[0].exp() },
      GradientCheck(name: "log", shapes: [[9]], range: 1..<3) { $0[0].log() },
      GradientCheck(name: "sqrt", shapes: [[9]], range: 1..<3) { $0[0].sqrt() },
      GradientCheck(name: "squared", shapes: [[9]]) { $0[0].squared() },
      GradientCheck(name: "abs", shapes: [[9]], kinks: [0]) { $0[0].abs() },
      GradientCheck(name: "reciprocal", shapes: [[9]], range: 1..<2) { $0[0].reciprocal() },
      GradientCheck(name: "softplus", shapes: [[9]], range: -3..<3) { $0[0].softplus() },
      GradientCheck(name: "max", shapes: [[9], [1]], kinks: [0]) {
        try Variable.maximum($0[0], $0[1].detached() * 0)
      },
      GradientCheck(name: "sum, axes", shapes: [[3, 4, 5, 2]]) { try $0[0].sum(over: [0, 2]) },
      GradientCheck(name: "mean", shapes: [[3, 4]]) { try $0[0].mean(over: [-1], keepAxes: true) },
      GradientCheck(name: "broadcast", shapes: [[3, 1]]) { try $0[0].broadcast(to: [2, 3, 4]) },
      GradientCheck(name: "reshape, permute", shapes: [[3, 4, 2]]) {
        try $0[0].permuted([2, 0, 1]).reshaped([4, -1])
      },
      GradientCheck(name: "slice", shapes: [[3, 6]]) { try $0[0].slice(axis: 1, 1..<4) * 2 },
      GradientCheck(name: "concatenate", shapes: [[3, 2], [3, 3]]) {
        try Variable.concatenated([$0[0], $0[1], $0[0]], axis: -1)
      },
    ]
    + Activation.allCases.map { kind in
      GradientCheck(
        name: "activation \(kind.rawValue)", shapes: [[40]], range: -7..<7, kinks: [-3, 0, 3, 6]
      ) { $0[0].activated(kind) }
    }

  static let products: [GradientCheck] = [
    GradientCheck(name: "matmul", shapes: [[5, 3], [3, 4]]) { try $0[0].matmul($0[1]) },
    GradientCheck(name: "matmul, both transposed", shapes: [[3, 5], [4, 3]]) {
      try $0[0].matmul($0[1], transposeSelf: true, transposeOther: true)
    },
    GradientCheck(name: "matmul, batched", shapes: [[2, 5, 3], [2, 4, 3]]) {
      try $0[0].matmul($0[1], transposeOther: true)
    },
    GradientCheck(name: "linear", shapes: [[2, 5, 3], [3, 4], [4]]) {
      try $0[0].linear($0[1], bias: $0[2])
    },
    GradientCheck(name: "linear, leading", shapes: [[5, 3], [6, 8]]) {
      try $0[0].linear($0[1].leading(3, 4))
    },
    GradientCheck(name: "softmax", shapes: [[4, 5]]) { try $0[0].softmax() },
    GradientCheck(name: "logSoftmax", shapes: [[4, 5]]) { try $0[0].logSoftmax() },
  ]

  static let losses: [GradientCheck] = [
    GradientCheck(name: "crossEntropy", shapes: [[3, 5]]) {
      try $0[0].crossEntropy(labels: [1, 0, 4], labelSmoothing: 0.1)
    },
    GradientCheck(name: "klDivergence", shapes: [[3, 5]]) {
      try $0[0].klDivergence(
        target: Tensor((0..<15).map { Float($0 % 4) }, shape: [3, 5]), temperature: 2)
    },
    GradientCheck(name: "meanSquaredError", shapes: [[6], [6]]) {
      try $0[0].meanSquaredError($0[1])
    },
    GradientCheck(name: "huber", shapes: [[12]], range: -2..<2, kinks: [-0.7, 0, 0.7]) {
      try $0[0].huber($0[0].detached() * 0, delta: 0.7)
    },
    GradientCheck(name: "pairwiseHinge", shapes: [[7]]) {
      try $0[0].pairwiseHinge(target: Tensor([3, 1, 2, 2, 5, 0, 4]), margin: 0.3)
    },
    GradientCheck(name: "pairwiseLogistic", shapes: [[7]]) {
      try $0[0].pairwiseLogistic(target: Tensor([3, 1, 2, 2, 5, 0, 4]))
    },
  ]

  @Test(arguments: all) func centralDifferences(_ gradient: GradientCheck) throws {
    for threads in [1, 2] {
      try gradient.run(engine: Engine(threads: threads), seed: UInt64(threads))
    }
  }

  @Test func parametersAccumulate() throws {
    let engine = try Engine()
    let p = Parameter(Tensor([1, 2]))
    for _ in 0..<2 {
      let tape = Tape(engine)
      try (tape.parameter(p) * tape.parameter(p)).sum().backward()
    }
    #expect(p.gradient?.array == [4, 8])
  }

  @Test func secondOrder() throws {
    let engine = try Engine()
    let tape = Tape(engine)
    let x = tape.leaf(Tensor([0.5, -0.3]))
    let first = try tape.gradients(of: x.tanh().sum(), for: [x], createGraph: true)[0]
    let second = try tape.gradients(of: first.sum(), for: [x])[0]
    for (value, found) in zip([0.5, -0.3] as [Float], second.value.array) {
      let t = Float(Foundation.tanh(Double(value)))
      #expect(abs(found - -2 * t * (1 - t * t)) < 1e-6)
    }
  }

  @Test func checkpointGivesTheSameGradients() throws {
    let engine = try Engine()
    var random = RandomStream(seed: 3)
    let p = Parameter(random.normal([4, 4]))
    let input = random.normal([3, 4])
    func gradients(_ recompute: Bool) throws -> ([Float], [Float]) {
      p.zeroGradient()
      let tape = Tape(engine)
      let x = tape.leaf(input)
      let part = { (tape: Tape, x: [Variable]) in
        try x[0].linear(tape.parameter(p)).tanh().linear(tape.parameter(p))
      }
      let y = try recompute ? tape.checkpoint([x], part) : part(tape, [x])
      let dx = try tape.gradients(of: y.squared().sum(), for: [x], keepGraph: true)[0]
      p.zeroGradient()
      try y.squared().sum().backward()
      return (dx.value.array, p.gradient!.array)
    }
    let (a, b) = (try gradients(false), try gradients(true))
    #expect(a.0 == b.0)
    #expect(a.1 == b.1)
  }

  @Test func straightThrough() throws {
    let tape = Tape(try Engine())
    let x = tape.leaf(Tensor([0.2, 1.7]))
    let rounded = Tensor(x.value.array.map { $0.rounded() })
    let y = tape.record("round", rounded, [x]) { [$0] }
    #expect(try tape.gradients(of: (y * 3).sum(), for: [x])[0].value.array == [3, 3])
  }
}

@Suite struct StatisticsMatchingTests {
  /// The pull is the derivative of the distance, and the value stays.
  @Test func gradientsPullTowardsStatistics() throws {
    let engine = try Engine(threads: 1)
    var random = RandomStream(seed: 5)
    let x = random.normal([6, 2, 2, 3], mean: 0.5, deviation: 1.5)
    let (mean, variance) = (Tensor([0, 0.5, -1]), Tensor([1, 0.3, 4]))
    func distance(_ x: Tensor) throws -> Double {
      try Tape(engine).leaf(x).drawn(toMean: mean, variance: variance, weight: 2).distance
    }
    let tape = Tape(engine)
    let leaf = tape.leaf(x)
    let (drawn, _) = try leaf.drawn(toMean: mean, variance: variance, weight: 2)
    #expect(drawn.value.isIdentical(to: x))
    let gradient = try tape.gradients(of: drawn.sum(), for: [leaf])[0].value.array
    let step: Float = 1 / 64
    for i in 0..<x.count {
      var (above, below) = (x, x)
      above.update { $0[i] += step }
      below.update { $0[i] -= step }
      // 1 is the derivative of the sum.
      let slope = try 1 + 2 * (distance(above) - distance(below)) / Double(2 * step)
      #expect(abs(Double(gradient[i]) - slope) < 1e-3)
    }
  }
}
