import Foundation
import Tensors
import Testing

@testable import Predictors

@Suite struct GaussianProcessTests {
  /// Points in two groups of three and two columns, and a smooth function of them.
  static func problem(_ count: Int, seed: UInt64 = 1) -> (GroupedFeatures, [Double]) {
    var random = RandomStream(seed: seed)
    let values = (0..<count * 5).map { _ in random.uniform(-1..<1) }
    let targets = (0..<count).map { row -> Double in
      let x = values[row * 5..<(row + 1) * 5].map(Double.init)
      return sin(2 * x[0]) + x[1] * x[2] + 0.3 * x[3]
    }
    return (GroupedFeatures(values, count: count, groups: [0..<3, 3..<5]), targets)
  }

  @Test func factorAndInverse() throws {
    let size = 70
    var random = RandomStream(seed: 3)
    let rows = (0..<size * size).map { _ in Double(random.uniform(-1..<1)) }
    var matrix = [Double](repeating: 0, count: size * size)
    for i in 0..<size {
      for j in 0..<size {
        for k in 0..<size { matrix[i * size + j] += rows[i * size + k] * rows[j * size + k] }
        if i == j { matrix[i * size + j] += 1 }
      }
    }
    let factor = try #require(CholeskyFactor(matrix, size: size))
    var worst = 0.0
    for i in 0..<size {
      for j in 0...i {
        var sum = 0.0
        for k in 0...j { sum += factor.rows[i * size + k] * factor.rows[j * size + k] }
        worst = max(worst, abs(sum - matrix[i * size + j]))
      }
    }
    // n * eps * the largest entry, about size / 3 + 1.
    #expect(worst < Double(size) * 0x1p-52 * 30)
    let inverse = factor.inverse
    let unit = (0..<size).map { k in
      (0..<size).reduce(0) { $0 + matrix[7 * size + $1] * inverse[$1 * size + k] }
    }
    #expect(unit.indices.allSatisfy { abs(unit[$0] - ($0 == 7 ? 1 : 0)) < 1e-9 })
    let solved = factor.solve(Array(matrix[7 * size..<8 * size]))
    #expect(solved.indices.allSatisfy { abs(solved[$0] - ($0 == 7 ? 1 : 0)) < 1e-9 })
    #expect(CholeskyFactor([1, 2, 2, 1], size: 2) == nil)
  }

  /// The gradient of the likelihood against central differences, for each parameter.
  @Test(arguments: [true, false]) func likelihoodGradient(hasTrend: Bool) throws {
    let (points, targets) = Self.problem(24)
    let fit = try KernelFit(points, targets: targets)
    var kernel = GroupedKernel(groups: 2, hasTrend: hasTrend)
    kernel.parameters = [-0.3, -2, 0.4, 0.9, -1, -1.5]
    let gradient = try fit.gradient(kernel)
    for index in gradient.indices {
      var (above, below) = (kernel, kernel)
      above.parameters[index] += 1e-4
      below.parameters[index] -= 1e-4
      let difference = try (fit.loss(above, points) - fit.loss(below, points)) / 2e-4
      // Inner products are float32, differences of losses double.
      #expect(abs(difference - gradient[index]) < 1e-3 * max(1, abs(difference)), "\(index)")
    }
  }

  /// Predictions of left-out samples equal those of a process without them.
  @Test func leftOutSamples() throws {
    let (points, targets) = Self.problem(30)
    let kernel = GroupedKernel(groups: 2, hasTrend: true)
    let all = try GaussianProcess(kernel, points, targets: targets)
    for row in [0, 11, 29] {
      let others = (0..<30).filter { $0 != row }
      let one = try GaussianProcess(kernel, points[others], targets: others.map { targets[$0] })
        .predict(points[[row]], withVariances: true)[0]
      #expect(abs(one.mean - all.leftOut[row].mean) < 1e-4)
      #expect(abs(one.variance - all.leftOut[row].variance) < 1e-4)
    }
  }

  @Test func learnsASmoothFunction() throws {
    let (points, targets) = Self.problem(150)
    let fit = try KernelFit(points[0..<80], targets: Array(targets[0..<80]))
    let kernel = try fit(from: GroupedKernel(groups: 2, hasTrend: false))
    let process = try GaussianProcess(kernel, points[0..<80], targets: Array(targets[0..<80]))
    let predicted = try process.predict(points[80..<150], withVariances: true)
    let ranks = RankStatistics(predicted.map(\.mean), Array(targets[80...]))
    #expect(ranks.spearman > 0.95)
    let start = try fit.loss(GroupedKernel(groups: 2, hasTrend: false), points[0..<80])
    #expect(try fit.loss(kernel, points[0..<80]) < start)
  }
}
