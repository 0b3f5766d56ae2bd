internal import Foundation
public import Tensors

/// How a subnet learns from a teacher's logits.
public enum Divergence: String, Sendable, CaseIterable, Codable {
  /// Cross entropy with the teacher's distribution, which has KL's gradient (Hinton et al. 2015,
  /// arXiv 1503.02531).
  case kl
  /// AlphaNet's adaptive alpha-divergence: of alpha = -1 and alpha = 1 the larger, so that neither
  /// over- nor underestimation of the teacher's uncertainty is missed (Wang et al. 2021,
  /// arXiv 2102.07954).
  case alpha

  /// The loss of `logits` `[N, classes]` against a teacher's; no gradient flows to the teacher.
  public func callAsFunction(_ logits: Variable, teacher: Tensor) throws -> Variable {
    let tape = logits.tape
    let target = try tape.constant(teacher).softmax().value
    switch self {
    case .kl: return try logits.crossEntropy(target: target)
    case .alpha:
      let weights = try Self.alphaWeights(
        target.array, try tape.constant(logits.value).softmax().value.array,
        classes: logits.shape[1])
      let factor = tape.constant(try Tensor(weights, shape: logits.shape))
      return try (logits.logSoftmax() * factor).sum() * (-1 / Float(logits.shape[0]))
    }
  }

  /// With r = p / q (teacher over student), the divergence is `sum q (f(r) - f(1))` and its
  /// gradient that of `-sum q rho(r) log q`: alpha = 1 has f = r log r and rho = r; alpha = -1 has
  /// f = 1 / (2 r) and rho = 1 / 2 - 1 / r, with 1 / r clipped at 5, as published.
  /// - Returns: `q * rho` for each element.
  private static func alphaWeights(
    _ p: [Float], _ q: [Float], classes: Int
  ) throws -> [Float] {
    let clip: Float = 5
    var weights = [Float](repeating: 0, count: p.count)
    for row in stride(from: 0, to: p.count, by: classes) {
      var (below, above) = (Float(0), Float(0))
      for i in row..<row + classes {
        let ratio = max(p[i], 1e-12) / max(q[i], 1e-12)
        below += q[i] * (min(1 / ratio, clip) - 1) / 2
        above += q[i] * ratio * log(ratio)
      }
      for i in row..<row + classes {
        let ratio = max(p[i], 1e-12) / max(q[i], 1e-12)
        weights[i] = q[i] * (below > above ? 0.5 - min(1 / ratio, clip) : ratio)
      }
    }
    return weights
  }
}
