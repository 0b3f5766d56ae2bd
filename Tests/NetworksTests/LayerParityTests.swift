import Networks
import Tensors
import Testing

/// Every layer beside PyTorch's: value, gradients of the input and of each parameter by its path,
/// and running statistics afterwards.
@Suite struct LayerParityTests {
  private let parity: Parity
  private var random = RandomStream(seed: 1)
  init() throws { parity = try Parity() }

  private func check(
    _ name: String, _ layer: any UnaryLayer, training: Bool = true
  ) throws {
    try parity.check("layer.\(name)", layer: layer, training: training) { inputs, pass in
      try layer(inputs["x"]!, pass)
    }
  }

  @Test func single() throws {
    var random = random
    try check("conv", Conv2d(5, 8, kernel: 3, stride: 2, bias: true, &random))
    try check("linear", Linear(13, 7, &random))
    try check("batchNorm.train", BatchNorm(6))
    try check("batchNorm.eval", BatchNorm(6), training: false)
    try check("layerNorm", LayerNorm(24))
  }

  private func mbconv(_ name: String) -> MBConv {
    var random = random
    switch name {
    case "mbconv.k5s2":
      return MBConv(6, 10, .init(kernel: 5, stride: 2, expand: 4, activation: .relu6), &random)
    case "mbconv.k7se":
      return MBConv(
        8, 8, .init(kernel: 7, expand: 2, activation: .hardSwish, squeezed: 8), &random)
    default: return MBConv(8, 8, .init(kernel: 3, expand: 3), &random)
    }
  }

  @Test(arguments: ["mbconv.k3", "mbconv.k5s2", "mbconv.k7se"])
  func mbconvs(_ name: String) throws { try check(name, mbconv(name)) }

  @Test func evaluates() throws {
    let layer = mbconv("mbconv.eval")
    try check("mbconv.eval", layer, training: false)
    // Inference folds the norms into the convolutions.
    let pass = Pass.inference(parity.engine)
    let x = pass.tape.constant(try parity.tensor("layer.mbconv.eval/in.x"))
    try parity.compare(layer(x, pass).value, "layer.mbconv.eval/out", terms: 144)
  }

  @Test func attention() throws {
    var random = random
    try check("attention", MultiheadAttention(12, heads: 3, &random))
  }

  @Test func basicBlocks() throws {
    var random = random
    try check("basic", BasicBlock(8, 8, &random))
    try check("basic.s2", BasicBlock(6, 12, stride: 2, &random))
  }
}
