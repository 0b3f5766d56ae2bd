public import Tensors

/// Starting values of weights.
public enum Initialization {
  /// Normal with deviation `sqrt(2 / fanIn)` (He et al. 2015, arXiv 1502.01852).
  public static func he(
    _ shape: [Int], fanIn: Int, _ random: inout RandomStream
  ) -> Tensor {
    random.normal(shape, deviation: (2 / Float(max(1, fanIn))).squareRoot())
  }

  /// Uniform in `±1 / sqrt(fanIn)`: what PyTorch gives linear layers and convolutions.
  public static func fan(_ shape: [Int], fanIn: Int, _ random: inout RandomStream) -> Tensor {
    let bound = 1 / Float(max(1, fanIn)).squareRoot()
    return random.uniform(shape, in: -bound..<bound)
  }
}
