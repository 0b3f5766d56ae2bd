import Foundation

/// A kernel whose time is known but for what memory costs it, which depends on how large the network
/// around it is.
struct TimedKernel: Sendable {
  /// Milliseconds without it.
  let base: Double
  /// Megabytes of weights and of data; none for a kernel of an unknown kind.
  let weights: Double
  let data: Double
  /// What corrections multiply the sum with.
  let factor: Double

  func time(_ memory: MemoryCost) -> Double {
    max(SumModel.floor, base + weights * memory.weights + data * memory.data) * factor
  }
}

/// Milliseconds a megabyte that caches lost since the last run.
struct MemoryCost: Sendable {
  var weights = 0.0
  var data = 0.0
}

extension KernelPredictor {
  /// - Parameter networkBytes: of all weights and all results.
  func memoryCost(networkBytes: Double) -> MemoryCost {
    guard let known = model.coefficients.indices.first(where: model.knows) else { return .init() }
    let prices = model.coefficients[known][KernelFeatures.coldTerms]
    var cost = MemoryCost()
    for (index, share) in KernelFeatures.cold(networkBytes: networkBytes).enumerated() {
      cost.weights += share * prices[prices.startIndex + 2 * index]
      cost.data += share * prices[prices.startIndex + 2 * index + 1]
    }
    return cost
  }

  func timed(_ kernel: Kernel) -> TimedKernel {
    var alone = kernel
    (alone.networkWeightBytes, alone.networkActivationBytes) = (0, 0)
    let part = SumPart(alone)
    let isKnown = model.knows(kind: part.kind)
    return TimedKernel(
      base: zip(model.coefficients[part.kind], part.terms).reduce(0) { $0 + $1.0 * $1.1 },
      weights: isKnown ? kernel.weightBytes / 1e6 : 0,
      data: isKnown ? (kernel.inputBytes + kernel.outputBytes) / 1e6 : 0,
      factor: model.factor(part))
  }
}
