/// The volume that a set of points dominates, bounded by a reference point: the usual measure of
/// a front (Zitzler and Thiele 1999). All objectives are lowered; raise one by negating it.
public enum Hypervolume {
  /// Exact, for any number of objectives.
  ///
  /// O(n log n) for two; else WFG's exclusive volumes (While, Bradstreet and Barone 2012),
  /// exponential in the worst case but fast for fronts of some hundred points and four objectives.
  public static func of(_ points: [[Double]], reference: [Double]) -> Double {
    precondition(points.allSatisfy { $0.count == reference.count }, "points fit the reference")
    let inside = points.filter { zip($0, reference).allSatisfy { $0 < $1 } }
    return volume(front(inside), reference)
  }

  private static func volume(_ points: [[Double]], _ reference: [Double]) -> Double {
    switch (points.count, reference.count) {
    case (0, _): return 0
    case (1, _): return box(points[0], reference)
    case (_, 1): return reference[0] - (points.map { $0[0] }.min() ?? reference[0])
    case (_, 2): return area(points, reference)
    default:
      // Each point adds what those after it do not dominate already. Sorted so that the points
      // clipped to the one at hand share its last objective, which is then a mere factor.
      let sorted = points.sorted { $0[$0.count - 1] > $1[$1.count - 1] }
      let last = reference.count - 1
      let lower = Array(reference.dropLast())
      var sum = 0.0
      for (index, point) in sorted.enumerated() {
        // Those later in the list are better in the last objective: beneath `point` they fill
        // its whole depth.
        let own = Array(point.dropLast())
        let clipped = sorted[(index + 1)...].map { other in
          (0..<last).map { max(own[$0], other[$0]) }
        }
        let depth = reference[last] - point[last]
        sum += depth * (box(own, lower) - volume(front(clipped), lower))
      }
      return sum
    }
  }

  private static func box(_ point: [Double], _ reference: [Double]) -> Double {
    zip(point, reference).reduce(1) { $0 * ($1.1 - $1.0) }
  }

  private static func area(_ points: [[Double]], _ reference: [Double]) -> Double {
    var sum = 0.0
    var height = reference[1]
    for point in points.sorted(by: { $0.lexicographicallyPrecedes($1) }) where point[1] < height {
      sum += (reference[0] - point[0]) * (height - point[1])
      height = point[1]
    }
    return sum
  }

  /// Points that no other one dominates or repeats.
  private static func front(_ points: [[Double]]) -> [[Double]] {
    guard (points.first?.count ?? 0) > 2 else { return points }
    var front: [[Double]] = []
    for point in points.sorted(by: { $0.lexicographicallyPrecedes($1) })
    where !front.contains(where: { zip($0, point).allSatisfy { $0 <= $1 } }) {
      front.append(point)
    }
    return front
  }
}
