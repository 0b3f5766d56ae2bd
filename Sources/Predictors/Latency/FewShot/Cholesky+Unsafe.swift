internal import Foundation

/// The factor `L` of a symmetric positive definite matrix `A = L L^T`.
struct Cholesky: Sendable {
  private let size: Int
  /// Row-major; only the lower triangle counts.
  private var factor: [Double]

  /// `nil` where the matrix is not positive definite. - Complexity: n^3 / 3 multiplications.
  init?(_ matrix: RowMatrix) {
    let size = matrix.rows
    var factor = matrix.values
    let isDefinite = factor.withUnsafeMutableBufferPointer { a -> Bool in
      for row in 0..<size {
        for column in 0...row {
          var sum = a[row * size + column]
          for k in 0..<column { sum -= a[row * size + k] * a[column * size + k] }
          if row == column {
            guard sum > 0, sum.isFinite else { return false }
            a[row * size + row] = sum.squareRoot()
          } else {
            a[row * size + column] = sum / a[column * size + column]
          }
        }
      }
      return true
    }
    guard isDefinite else { return nil }
    self.size = size
    self.factor = factor
  }

  /// `A^-1 b`.
  func solve(_ b: [Double]) -> [Double] {
    var x = halfSolve(b)
    factor.withUnsafeBufferPointer { a in
      for row in (0..<size).reversed() {
        var sum = x[row]
        for k in (row + 1)..<size { sum -= a[k * size + row] * x[k] }
        x[row] = sum / a[row * size + row]
      }
    }
    return x
  }

  /// `L^-1 b`, whose squared length is `b^T A^-1 b`.
  func halfSolve(_ b: [Double]) -> [Double] {
    var x = b
    factor.withUnsafeBufferPointer { a in
      x.withUnsafeMutableBufferPointer { x in
        for row in 0..<size {
          var sum = x[row]
          for k in 0..<row { sum -= a[row * size + k] * x[k] }
          x[row] = sum / a[row * size + row]
        }
      }
    }
    return x
  }

  /// Logarithm of the determinant of `A`.
  var logDeterminant: Double {
    (0..<size).reduce(0) { $0 + 2 * log(factor[$1 * size + $1]) }
  }
}
