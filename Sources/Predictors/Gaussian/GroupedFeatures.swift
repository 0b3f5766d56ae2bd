internal import Tensors

/// Feature vectors of points, in groups of columns that measure alike.
struct GroupedFeatures: Sendable {
  let count: Int
  let groups: [Range<Int>]
  /// `[count, width]`, row-major, float32: products are what they are for.
  let values: [Float]
  let width: Int

  init(_ values: [Float], count: Int, groups: [Range<Int>]) {
    self.values = values
    self.count = count
    self.groups = groups
    width = groups.last?.upperBound ?? 0
    precondition(values.count == count * width, "one row a point")
  }

  subscript(_ rows: some Collection<Int>) -> GroupedFeatures {
    GroupedFeatures(
      rows.flatMap { values[$0 * width..<($0 + 1) * width] }, count: rows.count, groups: groups)
  }

  /// Inner products with the points of another set by group: `[groups][count * other.count]`.
  func products(_ other: GroupedFeatures) throws -> [[Float]] {
    let tape = Tape(try Engine(threads: 1))
    let a = try Tensor(values, shape: [count, width])
    let b = try Tensor(other.values, shape: [other.count, width])
    return try groups.map { group in
      guard !group.isEmpty else { return Array(repeating: 0, count: count * other.count) }
      return try tape.constant(a.slice(axis: 1, group)).matmul(
        tape.constant(b.slice(axis: 1, group)), transposeOther: true
      ).value.array
    }
  }

  /// Squared length of each point's columns of a group: `[groups][count]`.
  var squaredLengths: [[Float]] {
    groups.map { group in
      (0..<count).map { row in
        group.reduce(0) { $0 + values[row * width + $1] * values[row * width + $1] }
      }
    }
  }
}
