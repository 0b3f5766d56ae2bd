/// Least squares with coefficients that are not negative, by coordinate descent (Franc et al. 2005).
struct NonNegativeLeastSquares {
  private var gram: [Double]
  private var moments: [Double]
  let columns: Int

  init(columns: Int) {
    self.columns = columns
    gram = [Double](repeating: 0, count: columns * columns)
    moments = [Double](repeating: 0, count: columns)
  }

  /// Adds an equation; `terms` are the columns that aren't zero.
  mutating func add(_ terms: [(column: Int, value: Double)], target: Double) {
    for (i, a) in terms {
      moments[i] += a * target
      for (j, b) in terms { gram[i * columns + j] += a * b }
    }
  }

  /// - Parameter ridge: penalty on a coefficient's square; decides between columns that say the same.
  func solve(ridge: Double, sweeps: Int = 5000, tolerance: Double = 1e-10) -> [Double] {
    var solution = [Double](repeating: 0, count: columns)
    // gram * solution - moments, kept up to date.
    var gradient = moments.map { -$0 }
    for _ in 0..<sweeps {
      var largest = 0.0
      for i in 0..<columns {
        let curvature = gram[i * columns + i] + ridge
        let next = max(0, solution[i] - (gradient[i] + ridge * solution[i]) / curvature)
        let step = next - solution[i]
        guard step != 0 else { continue }
        solution[i] = next
        for j in 0..<columns { gradient[j] += step * gram[i * columns + j] }
        largest = max(largest, abs(step) * curvature.squareRoot())
      }
      if largest < tolerance { break }
    }
    return solution
  }
}
