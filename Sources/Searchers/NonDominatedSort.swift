/// Deb's ranking for several objectives (Deb et al. 2002, "A fast and elitist multiobjective
/// genetic algorithm: NSGA-II", sections III A and B). All objectives are lowered.
public enum NonDominatedSort {
  /// Whether `a` is nowhere worse than `b` and somewhere better.
  @inline(__always)
  static func dominates(_ a: [Double], _ b: [Double]) -> Bool {
    var isBetter = false
    for index in a.indices {
      if a[index] > b[index] { return false }
      if a[index] < b[index] { isBetter = true }
    }
    return isBetter
  }

  /// Indices of the points by front, the best front first. O(m n^2) time.
  public static func fronts(_ points: [[Double]]) -> [[Int]] {
    var dominated = [[Int]](repeating: [], count: points.count)
    var dominators = [Int](repeating: 0, count: points.count)
    for a in points.indices {
      for b in (a + 1)..<max(points.count, a + 1) {
        if dominates(points[a], points[b]) {
          dominated[a].append(b)
          dominators[b] += 1
        } else if dominates(points[b], points[a]) {
          dominated[b].append(a)
          dominators[a] += 1
        }
      }
    }
    var fronts: [[Int]] = []
    var front = points.indices.filter { dominators[$0] == 0 }
    while !front.isEmpty {
      fronts.append(front)
      var next: [Int] = []
      for a in front {
        for b in dominated[a] {
          dominators[b] -= 1
          if dominators[b] == 0 { next.append(b) }
        }
      }
      front = next.sorted()
    }
    return fronts
  }

  /// Crowding distance of each point within its front: the mean side of the box between its
  /// neighbours; infinite at the ends. Of equal points only the first counts, so that copies of
  /// one architecture do not fill the population.
  public static func crowding(_ front: [[Double]]) -> [Double] {
    guard let objectives = front.first?.count else { return [] }
    var distance = [Double](repeating: 0, count: front.count)
    var firsts: [Int] = []
    var seen = Set<[Double]>()
    for index in front.indices where seen.insert(front[index]).inserted { firsts.append(index) }
    guard firsts.count > 2 else {
      for index in firsts { distance[index] = .infinity }
      return distance
    }
    for objective in 0..<objectives {
      let order = firsts.sorted {
        let (a, b) = (front[$0][objective], front[$1][objective])
        return a != b ? a < b : $0 < $1
      }
      let (low, high) = (front[order[0]][objective], front[order[order.count - 1]][objective])
      distance[order[0]] = .infinity
      distance[order[order.count - 1]] = .infinity
      guard high > low else { continue }
      for place in 1..<(order.count - 1) {
        let side = front[order[place + 1]][objective] - front[order[place - 1]][objective]
        distance[order[place]] += side / (high - low) / Double(objectives)
      }
    }
    return distance
  }
}
