/// A dense matrix of doubles, row-major, with the few products that regression needs.
struct RowMatrix: Sendable, Equatable {
  var rows: Int
  var columns: Int
  var values: [Double]

  init(rows: Int, columns: Int, values: [Double]? = nil) {
    precondition(values.map { $0.count == rows * columns } ?? true, "one value a cell")
    self.rows = rows
    self.columns = columns
    self.values = values ?? Array(repeating: 0, count: rows * columns)
  }

  subscript(_ row: Int, _ column: Int) -> Double {
    get { values[row * columns + column] }
    set { values[row * columns + column] = newValue }
  }

  /// A copy of some rows.
  func selecting(_ indices: some Collection<Int>) -> RowMatrix {
    RowMatrix(
      rows: indices.count, columns: columns,
      values: indices.flatMap { values[$0 * columns..<($0 + 1) * columns] })
  }

  /// `self * other`, `[rows, other.columns]`.
  func times(_ other: RowMatrix) -> RowMatrix {
    precondition(columns == other.rows, "inner extents differ")
    var result = RowMatrix(rows: rows, columns: other.columns)
    let (inner, width) = (columns, other.columns)
    values.withUnsafeBufferPointer { a in
      other.values.withUnsafeBufferPointer { b in
        result.values.withUnsafeMutableBufferPointer { out in
          for row in 0..<rows {
            let target = out.baseAddress! + row * width
            for k in 0..<inner {
              let factor = a[row * inner + k]
              if factor == 0 { continue }
              let source = b.baseAddress! + k * width
              for column in 0..<width { target[column] += factor * source[column] }
            }
          }
        }
      }
    }
    return result
  }

  var transposed: RowMatrix {
    var result = RowMatrix(rows: columns, columns: rows)
    for row in 0..<rows {
      for column in 0..<columns { result.values[column * rows + row] = self[row, column] }
    }
    return result
  }

  /// `self^T * self`, `[columns, columns]`.
  var gram: RowMatrix {
    var result = RowMatrix(rows: columns, columns: columns)
    let width = columns
    values.withUnsafeBufferPointer { a in
      result.values.withUnsafeMutableBufferPointer { out in
        for row in 0..<rows {
          let source = a.baseAddress! + row * width
          for i in 0..<width {
            let factor = source[i]
            if factor == 0 { continue }
            let target = out.baseAddress! + i * width
            // The upper triangle; the lower one follows by symmetry.
            for j in i..<width { target[j] += factor * source[j] }
          }
        }
        for i in 0..<width {
          for j in 0..<i { out[i * width + j] = out[j * width + i] }
        }
      }
    }
    return result
  }

  /// `self * vector`, `[rows]`.
  func times(_ vector: [Double]) -> [Double] {
    precondition(columns == vector.count, "inner extents differ")
    return values.withUnsafeBufferPointer { a in
      vector.withUnsafeBufferPointer { x in
        (0..<rows).map { row in
          Self.product(a.baseAddress! + row * columns, x.baseAddress!, columns)
        }
      }
    }
  }

  /// An inner product in eight lanes, which compilers turn into vector instructions.
  private static func product(
    _ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>, _ count: Int
  ) -> Double {
    var lanes = SIMD8<Double>()
    var index = 0
    while index + 8 <= count {
      let x = UnsafeRawPointer(a + index).loadUnaligned(as: SIMD8<Double>.self)
      let y = UnsafeRawPointer(b + index).loadUnaligned(as: SIMD8<Double>.self)
      lanes += x * y
      index += 8
    }
    var sum = lanes.sum()
    while index < count {
      sum += a[index] * b[index]
      index += 1
    }
    return sum
  }
}
