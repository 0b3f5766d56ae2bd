public import Architectures

/// An architecture with what is predicted for it.
public struct Evaluated: Hashable, Sendable {
  /// In canonical form.
  public var genotype: Genotype
  public var score: Double
  /// One for each metric of the problem, in its order.
  public var costs: [Double]

  public init(genotype: Genotype, score: Double, costs: [Double]) {
    self.genotype = genotype
    self.score = score
    self.costs = costs
  }
}

/// The architectures that no other one dominates (score up, costs down) among all it was shown:
/// exact, and no larger than the front. Of equals the first stays.
public struct ParetoArchive: Sendable {
  /// Sorted by the first cost.
  public private(set) var entries: [Evaluated] = []
  public let objectives: Int
  /// First cost and score of each entry, flat for the search.
  private var firstCosts: [Double] = []
  private var scores: [Double] = []

  public init(objectives: Int = 1) { self.objectives = objectives }

  /// The entry with the highest score; of equals the one with the lowest costs.
  public var best: Evaluated? {
    entries.max {
      $0.score != $1.score ? $0.score < $1.score : $1.costs.lexicographicallyPrecedes($0.costs)
    }
  }

  /// Takes the architecture in if nothing dominates or equals it. O(log n) for one cost, else
  /// O(n), plus the entries moved.
  @discardableResult
  public mutating func insert(
    score: Double, costs: ArraySlice<Double>, genotype: @autoclosure () -> Genotype
  ) -> Bool {
    let first = costs[costs.startIndex]
    var low = 0
    var high = firstCosts.count
    while low < high {
      let middle = (low + high) / 2
      if firstCosts[middle] <= first { low = middle + 1 } else { high = middle }
    }
    // `low`: the first entry that costs more.
    var place = low
    if objectives == 1 {
      if low > 0, scores[low - 1] >= score { return false }
      var start = low
      while start > 0, firstCosts[start - 1] == first { start -= 1 }
      var end = low
      while end < scores.count, scores[end] <= score { end += 1 }
      remove(start..<end)
      place = start
    } else {
      for index in 0..<low where scores[index] >= score {
        if isLess(entries[index].costs[...], costs) { return false }
      }
      for index in entries.indices.reversed()
      where scores[index] <= score && isLess(costs, entries[index].costs[...]) {
        remove(index..<(index + 1))
        if index < place { place -= 1 }
      }
    }
    entries.insert(
      Evaluated(genotype: genotype(), score: score, costs: Array(costs)), at: place)
    firstCosts.insert(first, at: place)
    scores.insert(score, at: place)
    return true
  }

  private mutating func remove(_ range: Range<Int>) {
    guard !range.isEmpty else { return }
    entries.removeSubrange(range)
    firstCosts.removeSubrange(range)
    scores.removeSubrange(range)
  }

  private func isLess(_ a: ArraySlice<Double>, _ b: ArraySlice<Double>) -> Bool {
    for index in 0..<objectives where a[a.startIndex + index] > b[b.startIndex + index] {
      return false
    }
    return true
  }
}

extension ParetoArchive: Codable {
  private enum Key: CodingKey { case objectives, genotypes, scores, costs }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(objectives, forKey: .objectives)
    try container.encode(PackedGenotypes(entries.map(\.genotype)), forKey: .genotypes)
    try container.encode(scores, forKey: .scores)
    try container.encode(entries.map(\.costs), forKey: .costs)
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    self.init(objectives: try container.decode(Int.self, forKey: .objectives))
    let genotypes = try container.decode(PackedGenotypes.self, forKey: .genotypes).genotypes
    scores = try container.decode([Double].self, forKey: .scores)
    let costs = try container.decode([[Double]].self, forKey: .costs)
    guard genotypes.count == scores.count, costs.count == scores.count, objectives >= 1,
      costs.allSatisfy({ $0.count >= objectives && $0.count == costs[0].count })
    else {
      throw DecodingError.dataCorruptedError(
        forKey: .scores, in: container, debugDescription: "genotypes, scores and costs differ")
    }
    firstCosts = costs.map { $0[0] }
    entries = scores.indices.map {
      Evaluated(genotype: genotypes[$0], score: scores[$0], costs: costs[$0])
    }
  }
}
