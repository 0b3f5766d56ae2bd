import Architectures

/// Grows one regression tree on weighted targets, level by level.
struct TreeGrower {
  let data: BinnedFeatures
  let depth: Int
  /// Rows that a leaf has at least.
  let minRows: Int
  /// Share of the features that each level may split on.
  let columnShare: Double

  /// - Parameters:
  ///   - rows: the rows to learn from.
  ///   - weights: of all rows, not negative.
  /// - Returns: the tree, with leaves multiplied by `rate`.
  func grow(
    rows: [Int32], targets: [Float], weights: [Float], rate: Double, _ random: inout SeededGenerator
  ) -> (features: [Int32], thresholds: [Float], leaves: [Float]) {
    var features: [Int32] = []
    var thresholds: [Float] = []
    // Where each of `rows` is in the level.
    var places = [UInt8](repeating: 0, count: rows.count)
    for level in 0..<depth {
      let splits = bestSplits(
        places: places, count: 1 << level, rows: rows, targets: targets, weights: weights, &random)
      for split in splits {
        features.append(Int32(split.column))
        thresholds.append(
          split.bin < data.edges[split.column].count
            ? data.edges[split.column][split.bin] : .greatestFiniteMagnitude)
      }
      for index in rows.indices {
        let split = splits[Int(places[index])]
        let bin = data.bins[split.column * data.rows + Int(rows[index])]
        places[index] = 2 * places[index] + (Int(bin) <= split.bin ? 0 : 1)
      }
    }
    return (
      features, thresholds,
      leaves(places: places, rows: rows, targets: targets, weights: weights, rate: rate)
    )
  }

  private struct Split {
    var column = 0
    /// Bins up to this go left; all of them where nothing is gained.
    var bin = Int.max
    var gain = 0.0
  }

  private struct Sums {
    var weight = 0.0
    var target = 0.0
    var rows = 0

    var score: Double { weight > 0 ? target * target / weight : 0 }
    static func += (a: inout Self, b: Self) {
      a.weight += b.weight
      a.target += b.target
      a.rows += b.rows
    }
    static func - (a: Self, b: Self) -> Self {
      Sums(weight: a.weight - b.weight, target: a.target - b.target, rows: a.rows - b.rows)
    }
  }

  private func bestSplits(
    places: [UInt8], count: Int, rows: [Int32], targets: [Float], weights: [Float],
    _ random: inout SeededGenerator
  ) -> [Split] {
    var best = [Split](repeating: Split(), count: count)
    var sums = [Sums](repeating: Sums(), count: count * BinnedFeatures.most)
    for column in 0..<data.columns {
      guard random.nextUniform() < columnShare, !data.edges[column].isEmpty else { continue }
      for index in sums.indices { sums[index] = Sums() }
      let base = column * data.rows
      for index in rows.indices {
        let row = Int(rows[index])
        let at = Int(places[index]) * BinnedFeatures.most + Int(data.bins[base + row])
        sums[at].weight += Double(weights[row])
        sums[at].target += Double(weights[row] * targets[row])
        sums[at].rows += 1
      }
      for node in 0..<count {
        let range = node * BinnedFeatures.most..<(node + 1) * BinnedFeatures.most
        let whole = sums[range].reduce(into: Sums()) { $0 += $1 }
        guard whole.rows >= 2 * minRows else { continue }
        var left = Sums()
        for bin in data.edges[column].indices {
          left += sums[range.lowerBound + bin]
          let right = whole - left
          guard left.rows >= minRows, right.rows >= minRows else { continue }
          let gain = left.score + right.score - whole.score
          if gain > best[node].gain { best[node] = Split(column: column, bin: bin, gain: gain) }
        }
      }
    }
    return best
  }

  private func leaves(
    places: [UInt8], rows: [Int32], targets: [Float], weights: [Float], rate: Double
  ) -> [Float] {
    var sums = [Sums](repeating: Sums(), count: 1 << depth)
    for index in rows.indices {
      let row = Int(rows[index])
      sums[Int(places[index])].weight += Double(weights[row])
      sums[Int(places[index])].target += Double(weights[row] * targets[row])
    }
    return sums.map { $0.weight > 0 ? Float(rate * $0.target / $0.weight) : 0 }
  }
}
