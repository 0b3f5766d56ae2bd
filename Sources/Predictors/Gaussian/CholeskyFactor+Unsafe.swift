internal import CKernels

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

  /// `|L^-1 b|^2` for each row `b` of `[count, size]`: what a Gaussian process knows about a point.
  func squaredNorms(_ rightSides: [Double]) -> [Double] {
    let count = size == 0 ? 0 : rightSides.count / size
    var solved = rightSides
    solved.withUnsafeMutableBufferPointer {
      ck_solve_lower(Int64(size), rows, Int64(count), $0.baseAddress)
    }
    return (0..<count).map { row in
      solved[row * size..<(row + 1) * size].reduce(0) { $0 + $1 * $1 }
    }
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
