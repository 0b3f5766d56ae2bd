public import Tensors

/// Layer norm over the last axis (Ba et al. 2016, arXiv 1607.06450). Paths: `weight`, `bias`.
public final class LayerNorm: UnaryLayer {
  public let weight: Parameter
  public let bias: Parameter
  public let epsilon: Float

  public init(_ features: Int, epsilon: Float = 1e-5) {
    weight = Parameter(Tensor(repeating: 1, shape: [features]))
    bias = Parameter(Tensor(zeros: [features]))
    self.epsilon = epsilon
  }

  public var members: [Member] {
    [.parameter("weight", weight, .vector), .parameter("bias", bias, .vector)]
  }

  public func callAsFunction(_ x: Variable, _ pass: Pass) throws -> Variable {
    try x.layerNorm(
      scale: pass.tape.parameter(weight), shift: pass.tape.parameter(bias), epsilon: epsilon)
  }
}
