public import Tensors

/// Self-attention of several heads over `[batch, length, features]` (Vaswani et al. 2017,
/// arXiv 1706.03762). Paths as PyTorch's: `in_proj_weight` (queries, keys and values one behind the
/// other), `in_proj_bias`, `out_proj.weight`, `out_proj.bias`.
public final class MultiheadAttention: UnaryLayer {
  /// `[features, 3 * features]`.
  public let inputWeight: Parameter
  public let inputBias: Parameter
  public let output: Linear
  public let heads: Int

  /// `features` must be a multiple of `heads`.
  public init(_ features: Int, heads: Int, _ random: inout RandomStream) {
    precondition(features % heads == 0, "\(features) features for \(heads) heads")
    inputWeight = Parameter(
      Initialization.fan([features, 3 * features], fanIn: features, &random))
    inputBias = Parameter(Tensor(zeros: [3 * features]))
    output = Linear(features, features, &random)
    self.heads = heads
  }

  public var members: [Member] {
    [
      .parameter("in_proj_weight", inputWeight, .linear),
      .parameter("in_proj_bias", inputBias, .vector), .layer("out_proj", output),
    ]
  }

  public func callAsFunction(_ x: Variable, _ pass: Pass) throws -> Variable {
    try self(x, mask: nil, pass)
  }

  /// - Parameter mask: added to the scores, `[length, length]` or `[batch * heads, length, length]`.
  public func callAsFunction(_ x: Variable, mask: Tensor?, _ pass: Pass) throws -> Variable {
    let (batch, length, features) = (x.shape[0], x.shape[1], x.shape[2])
    let width = features / heads
    let all = try x.linear(
      pass.tape.parameter(inputWeight), bias: pass.tape.parameter(inputBias))
    func part(_ i: Int) throws -> Variable {
      try all.slice(axis: -1, i * features..<(i + 1) * features)
        .reshaped([batch, length, heads, width]).permuted([0, 2, 1, 3])
        .reshaped([batch * heads, length, width])
    }
    let mixed = try part(0).attention(keys: part(1), values: part(2), mask: mask)
      .reshaped([batch, heads, length, width]).permuted([0, 2, 1, 3])
      .reshaped([batch, length, features])
    return try output(mixed, pass)
  }
}
