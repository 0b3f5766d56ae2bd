import Networks
import Tensors
import Testing

@Suite struct OptimizerParityTests {
  final class One: Layer {
    let weight: Parameter
    init(_ weight: Parameter) { self.weight = weight }
    var members: [Member] { [.parameter("w", weight, .table)] }
  }

  struct Setting: Sendable {
    var name: String
    var rule: OptimizerRule
    var rate: Float
    var decay: Float
  }

  static let settings = [
    Setting(name: "sgd", rule: .sgd(momentum: 0, nesterov: false), rate: 0.1, decay: 0),
    Setting(name: "sgd.nesterov", rule: .sgd(), rate: 0.1, decay: 0.01),
    Setting(name: "sgd.momentum", rule: .sgd(nesterov: false), rate: 0.1, decay: 0.01),
    Setting(name: "adam", rule: .adam(), rate: 0.01, decay: 0.01),
    Setting(name: "adamW", rule: .adamW(), rate: 0.01, decay: 0.1),
    Setting(
      name: "rmsProp", rule: .rmsProp(alpha: 0.9, momentum: 0.9, epsilon: 1e-3), rate: 0.01,
      decay: 0.01),
  ]

  @Test(arguments: settings) func stepsAsPyTorch(_ setting: Setting) throws {
    let parity = try Parity()
    let parameter = Parameter(try parity.tensor("optimiser/start"))
    let optimizer = Optimizer(One(parameter), setting.rule, weightDecay: setting.decay)
    for i in 0..<5 {
      try parameter.setGradient(parity.tensor("optimiser/gradient.\(i)"))
      try optimizer.step(rate: setting.rate, engine: parity.engine)
      try parity.compare(parameter.value, "optimiser/\(setting.name).\(i)", terms: 1)
    }
  }

  @Test func clipsByNormAsPyTorch() throws {
    final class Two: Layer {
      let parts: [Parameter]
      init(_ parts: [Parameter]) { self.parts = parts }
      var members: [Member] { parts.enumerated().map { .parameter("\($0)", $1, .table) } }
    }
    let parity = try Parity()
    let gradients = try (0..<2).map { try parity.tensor("clip/in.\($0)") }
    let parts = gradients.map { Parameter(Tensor(zeros: $0.shape)) }
    for (part, gradient) in zip(parts, gradients) { try part.setGradient(gradient) }
    let optimizer = Optimizer(Two(parts), .sgd(momentum: 0, nesterov: false))
    let norm = try optimizer.step(rate: 1, clipNorm: 1.5, engine: parity.engine)
    try parity.compare(Tensor(Float(norm ?? 0)), "clip/norm", terms: 26)
    for (i, part) in parts.enumerated() {
      // The weight began at 0, so it is now the negative of the clipped gradient.
      let clipped = try Tensor(part.value.array.map { -$0 }, shape: part.value.shape)
      try parity.compare(clipped, "clip/out.\(i)", terms: 26)
    }
  }
}
