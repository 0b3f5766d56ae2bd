/// Shape arithmetic shared by operators.
enum Shapes {
  /// The shape two operands are broadcast to: aligned at the right, extents equal or 1.
  static func broadcast(_ a: [Int], _ b: [Int], _ name: String) throws -> [Int] {
    var result: [Int] = []
    for i in 0..<max(a.count, b.count) {
      let x = i < a.count ? a[a.count - 1 - i] : 1
      let y = i < b.count ? b[b.count - 1 - i] : 1
      try check(x == y || x == 1 || y == 1, "\(name): \(a) and \(b) can't be broadcast")
      result.append(x == 1 ? y : x)
    }
    return result.reversed()
  }

  /// The axis as a position from the front; negative ones count from the end.
  static func axis(_ axis: Int, _ shape: [Int], _ name: String) throws -> Int {
    let position = axis < 0 ? axis + shape.count : axis
    try check(position >= 0 && position < shape.count, "\(name): axis \(axis) of \(shape)")
    return position
  }

  static func axes(_ axes: [Int]?, _ shape: [Int], _ name: String) throws -> [Int] {
    guard let axes else { return Array(shape.indices) }
    let found = try axes.map { try axis($0, shape, name) }.sorted()
    try check(Set(found).count == found.count, "\(name): axes \(axes) repeat")
    return found
  }
}
