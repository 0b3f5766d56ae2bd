import Networks
import Tensors
import Testing

/// Every operator beside PyTorch's, value and gradient.
@Suite struct OperatorParityTests {
  private let parity: Parity
  init() throws { parity = try Parity() }

  @Test(arguments: [
    Activation.relu, .relu6, .hardSwish, .hardSigmoid, .swish, .sigmoid, .tanh, .gelu,
  ])
  func activation(_ kind: Activation) throws {
    try parity.check("activation.\(kind)") { inputs, _ in inputs["x"]!.activated(kind) }
  }

  @Test(arguments: ["exp", "log", "sqrt", "abs", "square", "softplus"])
  func unary(_ name: String) throws {
    try parity.check("unary.\(name)") { inputs, _ in
      let x = inputs["x"]!
      switch name {
      case "exp": return x.exp()
      case "log": return x.log()
      case "sqrt": return x.sqrt()
      case "abs": return x.abs()
      case "square": return x.squared()
      default: return x.softplus()
      }
    }
  }

  @Test(
    arguments: ["add", "subtract", "multiply", "divide"],
    ["same", "row", "middle", "both", "scalar"])
  func binary(_ name: String, _ shape: String) throws {
    try parity.check("binary.\(name).\(shape)") { inputs, _ in
      let (a, b) = (inputs["a"]!, inputs["b"]!)
      switch name {
      case "add": return try a + b
      case "subtract": return try a - b
      case "multiply": return try a * b
      default: return try a / b
      }
    }
  }

  @Test func productsAndReductions() throws {
    try parity.check("matmul") { inputs, _ in try inputs["a"]!.matmul(inputs["b"]!) }
    try parity.check("sum") { inputs, _ in try inputs["x"]!.sum(over: [1]) }
    try parity.check("mean") { inputs, _ in try inputs["x"]!.mean(over: [0, 1]) }
    try parity.check("softmax") { inputs, _ in try inputs["x"]!.softmax() }
    try parity.check("logSoftmax") { inputs, _ in try inputs["x"]!.logSoftmax() }
  }

  @Test func channels() throws {
    try parity.check("concat") { inputs, _ in
      try Variable.concatenated([inputs["a"]!, inputs["b"]!], axis: -1)
    }
    try parity.check("channelSlice") { inputs, _ in try inputs["x"]!.slice(axis: -1, 2..<7) }
    try parity.check("channelShuffle") { inputs, _ in try inputs["x"]!.channelShuffled(groups: 3) }
    let ids = try parity.tensor("embedding/in.ids").integers
    try parity.check("embedding") { inputs, _ in
      try inputs["table"]!.embedding(ids).reshaped([2, 3, 4])
    }
  }

  @Test func pools() throws {
    let halved = Convolution(kernel: 3, stride: 2)
    try parity.check("pool.max3s2") { inputs, _ in
      try inputs["x"]!.maxPool(kernel: .init(3), halved)
    }
    try parity.check("pool.max2") { inputs, _ in
      try inputs["x"]!.maxPool(kernel: .init(2), Convolution(stride: .init(2)))
    }
    try parity.check("pool.average3s2") { inputs, _ in
      try inputs["x"]!.averagePool(kernel: .init(3), halved)
    }
    try parity.check("pool.average3exclusive") { inputs, _ in
      try inputs["x"]!.averagePool(
        kernel: .init(3), Convolution(kernel: 3), countsPadding: false)
    }
    try parity.check("pool.adaptive") { inputs, _ in
      try inputs["x"]!.adaptiveAveragePool(height: 3, width: 4)
    }
    try parity.check("pool.global") { inputs, _ in try inputs["x"]!.globalAveragePool() }
  }

  @Test(arguments: [
    "dense3", "dense3s2", "dense5", "dilated", "grouped", "valid", "pointwise", "pointwises2",
    "dw3s1", "dw3s2", "dw5s1", "dw5s2", "dw7s1", "dw7s2",
  ])
  func convolution(_ name: String) throws {
    let kernel = try parity.tensor("conv.\(name)/in.weight").shape[2]
    var options = Convolution(
      kernel: kernel, stride: name.hasSuffix("s2") ? 2 : 1, dilation: name == "dilated" ? 2 : 1,
      groups: name == "grouped" ? 3 : 1)
    if name == "valid" { options.padding = .init(0) }
    try parity.check("conv.\(name)", weight: name.hasPrefix("dw") ? .depthwise : .convolution) {
      inputs, _ in
      try inputs["x"]!.convolution(inputs["weight"]!, bias: inputs["bias"]!, options)
    }
  }

  @Test func convolutionWithoutPatches() throws {
    try parity.check("conv.framed5", weight: .convolution) { inputs, _ in
      try inputs["x"]!.convolution(
        inputs["weight"]!, bias: inputs["bias"]!, Convolution(padding: .init(1)))
    }
    try parity.check("conv.framedAsymmetric", weight: .convolution) { inputs, _ in
      try inputs["x"]!.convolution(
        inputs["weight"]!, Convolution(padding: .init(top: 1, left: 0, bottom: 0, right: 2)))
    }
  }

  @Test func asymmetricPadding() throws {
    let options = Convolution(
      stride: .init(2), padding: .init(top: 1, left: 0, bottom: 2, right: 1))
    try parity.check("conv.asymmetric", weight: .convolution) { inputs, _ in
      try inputs["x"]!.convolution(inputs["weight"]!, options)
    }
  }

  @Test func losses() throws {
    let tensors = parity.tensors
    func target(_ name: String) -> Tensor { tensors["\(name)/in.target"]! }
    let labels = tensors["loss.crossEntropy/in.labels"]!.integers
    try parity.check("loss.crossEntropy") { inputs, _ in
      try inputs["x"]!.crossEntropy(labels: labels)
    }
    try parity.check("loss.smoothed") { inputs, _ in
      try inputs["x"]!.crossEntropy(labels: labels, labelSmoothing: 0.1)
    }
    try parity.check("loss.soft") { inputs, _ in
      try inputs["x"]!.crossEntropy(target: target("loss.soft"))
    }
    try parity.check("loss.huber") { inputs, _ in
      try inputs["x"]!.huber(inputs["target"]!, delta: 0.75)
    }
    try parity.check("loss.mse") { inputs, _ in
      try inputs["x"]!.meanSquaredError(inputs["target"]!)
    }
    // Ours takes the target's logits; the logarithm of a distribution is one choice of them.
    try parity.check("loss.kl") { inputs, _ in
      try inputs["x"]!.klDivergence(target: inputs["target"]!.log().value)
    }
    try parity.check("loss.rankingLogistic") { inputs, _ in
      try inputs["x"]!.pairwiseLogistic(target: target("loss.rankingLogistic"))
    }
    try parity.check("loss.rankingHinge") { inputs, _ in
      try inputs["x"]!.pairwiseHinge(target: target("loss.rankingHinge"), margin: 0.1)
    }
  }
}
