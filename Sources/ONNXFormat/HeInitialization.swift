import Architectures

/// Fresh weights: He's normal initialisation (fan-out), seeded.
///
/// Kernels are drawn from N(0, sqrt(2 / fanOut)); normalisations start as the identity (scale 1,
/// bias 0, mean 0, variance 1), biases at 0 and slopes at 0.25. Every weight has a stream of its
/// own from the seed and its name, so that adding a layer leaves the other weights as they are.
///
/// Source: He et al. 2015, arXiv 1502.01852.
/// - Note: the normal distribution is drawn from a table of 4,096 quantiles with linear
///   interpolation, which ends at 4 standard deviations; its standard deviation is exactly 1.
public struct HeInitialization: WeightSource {
  public var seed: UInt64

  public init(seed: UInt64 = 0) { self.seed = seed }

  public var provenance: String { "he-initialised seed=\(seed)" }

  public func write(_ weight: Weight, into bytes: inout MutableRawSpan) throws {
    guard weight.elementType.isFloatingPoint else {
      throw ONNXFormatError(
        .missingWeights,
        "weight '\(weight.name)' is \(weight.elementType.name): its content can't be made up")
    }
    switch weight.role {
    case .scale, .variance, .other: fill(&bytes, weight.elementType) { _ in 1 }
    case .bias, .mean: fill(&bytes, weight.elementType) { _ in 0 }
    case .slope: fill(&bytes, weight.elementType) { _ in 0.25 }
    case .kernel(let fanOut):
      let deviation = Float((2 / Double(max(1, fanOut))).squareRoot())
      let stream = NormalStream(key: seed &* 0x9e37_79b9_7f4a_7c15 ^ Self.hash(weight.name))
      fill(&bytes, weight.elementType) { stream[$0] * deviation }
    }
  }

  /// FNV-1a, 64 bits.
  private static func hash(_ name: String) -> UInt64 {
    name.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
  }
}
