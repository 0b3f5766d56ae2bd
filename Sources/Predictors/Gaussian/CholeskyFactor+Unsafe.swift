internal import CKernels
internal import Foundation

/// The lower triangular factor of a symmetric positive definite matrix `A = L L'`, double precision.
struct CholeskyFactor: Sendable {
  let size: Int
  /// `[size, size]`, row-major; above the diagonal lies what is left of `A`.
  let rows: [Double]

  /// Complexity: O(n^3 / 6) multiply-adds. `nil` where the matrix is not positive definite.
  init?(_ matrix: [Double], size: Int) {
    precondition(matrix.count == size * size, "a square matrix")
    var rows = matrix
    let status = rows.withUnsafeMutableBufferPointer { ck_cholesky(Int64(size), $0.baseAddress) }
    guard status == 0 else { return nil }
    self.size = size
    self.rows = rows
  }

  /// From a factor that was kept; `nil` where its diagonal is not above zero.
  init?(lower rows: [Double], size: Int) {
    precondition(rows.count == size * size, "a square matrix")
    guard (0..<size).allSatisfy({ rows[$0 * size + $0] > 0 }) else { return nil }
    self.size = size
    self.rows = rows
  }

  /// `L`, with zeros above the diagonal.
  var lower: [Double] {
    rows.indices.map { $0 % size <= $0 / size ? rows[$0] : 0 }
  }

  /// `A^-1 b`
  func solve(_ vector: [Double]) -> [Double] {
    precondition(vector.count == size, "one number a row")
    var result = vector
    result.withUnsafeMutableBufferPointer { result in
      ck_solve_lower(Int64(size), rows, 1, result.baseAddress)
      ck_solve_lower_transposed(Int64(size), rows, result.baseAddress)
    }
    return result
  }

  /// `L^-1 b` for each row `b` of `[count, size]`.
  func halfSolve(_ rightSides: [Double]) -> [Double] {
    var solved = rightSides
    solved.withUnsafeMutableBufferPointer {
      ck_solve_lower(
        Int64(size), rows, Int64(size == 0 ? 0 : rightSides.count / size), $0.baseAddress)
    }
    return solved
  }

  /// `|L^-1 b|^2` for each row `b` of `[count, size]`: what a Gaussian process knows about a point.
  func squaredNorms(_ rightSides: [Double]) -> [Double] {
    let solved = halfSolve(rightSides)
    return stride(from: 0, to: solved.count, by: max(1, size)).map { start in
      solved[start..<start + size].reduce(0) { $0 + $1 * $1 }
    }
  }

  /// Logarithm of the determinant of `A`.
  var logDeterminant: Double {
    (0..<size).reduce(0) { $0 + 2 * log(rows[$1 * size + $1]) }
  }

  /// `A^-1`, `[size, size]`.
  var inverse: [Double] {
    var columns = [Double](repeating: 0, count: size * size)
    for row in 0..<size { columns[row * size + row] = 1 }
    columns.withUnsafeMutableBufferPointer {
      ck_solve_lower(Int64(size), rows, Int64(size), $0.baseAddress)
    }
    return [Double](unsafeUninitializedCapacity: size * size) { buffer, count in
      ck_inner_products(Int64(size), Int64(size), columns, buffer.baseAddress)
      count = size * size
    }
  }
}
