internal import Foundation
public import Tensors

/// Targets and images blended for training.
public enum Mixup {
  /// One row of class probabilities an image, `[count, classes]`: `1 - smoothing` on the label and
  /// `smoothing` spread over all classes (Szegedy et al. 2015, arXiv 1512.00567).
  public static func targets(
    _ labels: [Int], classes: Int, smoothing: Float = 0
  ) throws -> Tensor {
    var rows = [Float](repeating: smoothing / Float(classes), count: labels.count * classes)
    for (row, label) in labels.enumerated() {
      guard (0..<classes).contains(label) else {
        throw NetworksError(.option, "label \(label) of \(classes) classes")
      }
      rows[row * classes + label] += 1 - smoothing
    }
    return try Tensor(rows, shape: [labels.count, classes])
  }

  /// Each image and its target blended with those of a random other one, all by one share drawn
  /// from Beta(`alpha`, `alpha`) (Zhang et al. 2017, arXiv 1710.09412).
  public static func blend(
    _ pixels: [Float], _ targets: Tensor, alpha: Float, _ random: inout RandomStream
  ) throws -> (pixels: [Float], targets: Tensor) {
    guard alpha > 0 else { return (pixels, targets) }
    let share = random.beta(alpha)
    let order = random.permutation(targets.shape[0])
    return (
      mix(pixels, order, share),
      try Tensor(mix(targets.array, order, share), shape: targets.shape)
    )
  }

  private static func mix(_ rows: [Float], _ order: [Int], _ share: Float) -> [Float] {
    let length = rows.count / order.count
    return [Float](unsafeUninitializedCapacity: rows.count) { result, count in
      for (row, other) in order.enumerated() {
        let (a, b) = (row * length, other * length)
        for i in 0..<length { result[a + i] = share * rows[a + i] + (1 - share) * rows[b + i] }
      }
      count = rows.count
    }
  }
}

extension RandomStream {
  /// Beta(a, a) from two gamma variates.
  mutating func beta(_ a: Float) -> Float {
    let (x, y) = (gamma(Double(a)), gamma(Double(a)))
    return x + y > 0 ? Float(x / (x + y)) : 0.5
  }

  /// Gamma of shape `a` (Marsaglia and Tsang 2000); shapes below 1 by the power of a uniform.
  private mutating func gamma(_ a: Double) -> Double {
    if a < 1 { return gamma(a + 1) * pow(1 - Double(uniform()), 1 / a) }
    let d = a - 1.0 / 3
    let c = 1 / (9 * d).squareRoot()
    // Each try succeeds with a probability above 0.95.
    for _ in 0..<1000 {
      let x = Double(normal())
      let v = pow(1 + c * x, 3)
      if v > 0, log(1 - Double(uniform())) < x * x / 2 + d - d * v + d * log(v) { return d * v }
    }
    return d
  }
}
