internal import Tensors

/// Networks of several spaces in one random order, with normal scores of their ranks in their own
/// space: what a larger or deeper network is differs between spaces, that it tends to be better
/// doesn't.
struct PooledSamples: Sendable {
  /// A space's networks and their accuracies.
  typealias Source = (features: NetworkFeatures, accuracies: [Double])

  let targets: [Double]
  private let sources: [Source]
  private let scales: [FeatureScale]
  private let rows: [(source: Int, row: Int)]

  /// - Parameter limit: networks of a source that are kept, at most.
  /// - Throws: `badSamples` where nothing can be learned from the sources.
  init(_ sources: [Source], limit: Int, seed: UInt64) throws {
    let random = RandomStream(seed: seed).derived("transfer")
    var rows: [(source: Int, row: Int, target: Double)] = []
    for (number, source) in sources.enumerated() {
      var order = random.derived(number)
      let connected = source.features.connectedRows
      let kept = order.permutation(connected.count).prefix(limit).map { connected[$0] }
      let measured = kept.map { source.accuracies[$0] }
      guard Set(measured).count > 1 else { continue }
      let scores = NormalScores(measured)
      rows += zip(kept, measured).map { (number, $0, scores.score($1)) }
    }
    guard rows.count >= 8 else {
      throw PredictorsError(.badSamples, "\(rows.count) samples of other spaces; 8 are needed")
    }
    // Any first part has some of all.
    var order = random.derived("order")
    rows = order.permutation(rows.count).map { rows[$0] }
    targets = rows.map(\.target)
    self.rows = rows.map { ($0.source, $0.row) }
    self.sources = sources
    scales = sources.map { FeatureScale($0.features, rows: $0.features.connectedRows) }
  }

  /// Whether a feature varies in any of the sources.
  var varies: [Bool] {
    (0..<NetworkFeatures.width).map { column in scales.contains { $0.spreads[column] > 0 } }
  }

  /// Mean and spread of the features over all sources, an equal weight each.
  var scale: FeatureScale { FeatureScale(pooling: scales) }

  /// Features in units of each space's own spread.
  /// - Parameter isKept: whether a feature is used.
  func points(_ groups: [FeatureGroup], isKept: [Bool]) -> GroupedFeatures {
    let scaled = sources.indices.map { number in
      scales[number].keeping(isKept).apply(
        sources[number].features, rows: rows.filter { $0.source == number }.map(\.row),
        groups: groups)
    }
    var next = sources.map { _ in 0 }
    return GroupedFeatures(
      rows.flatMap { row -> ArraySlice<Float> in
        let features = scaled[row.source]
        let start = next[row.source] * features.width
        next[row.source] += 1
        return features.values[start..<start + features.width]
      }, count: rows.count, groups: scaled[rows[0].source].groups)
  }
}

extension FeatureScale {
  /// The scale of several populations together, an equal weight each.
  init(pooling scales: [FeatureScale]) {
    let count = Double(scales.count)
    means = scales[0].means.indices.map { column in
      scales.reduce(0) { $0 + $1.means[column] } / count
    }
    let pooled = means
    spreads = means.indices.map { column in
      let square = scales.reduce(0.0) { sum, scale in
        let distance = scale.means[column] - pooled[column]
        return sum + scale.spreads[column] * scale.spreads[column] + distance * distance
      }
      return (square / count).squareRoot()
    }
  }
}
