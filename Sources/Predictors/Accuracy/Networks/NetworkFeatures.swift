internal import Foundation

/// Groups of what accuracy predictors read of an encoding.
public enum FeatureGroup: String, CaseIterable, Codable, Sendable {
  /// Logarithms of multiply-accumulates, weights, activations and operators, whole and live.
  case size
  /// Logarithms of the sums over live operators by kind.
  case operators
  /// What the ways through the network are like.
  case paths
  /// How often an operator follows another.
  case pairs
  /// Random Fourier features of the live operators' sizes.
  case waves
  /// What a predictor of other spaces says of the network.
  case transfer

  /// Groups that follow from the network alone.
  public static let own: [FeatureGroup] = [.size, .operators, .paths, .pairs, .waves]

  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let name = try container.decode(String.self)
    guard let group = Self(rawValue: name) else {
      throw DecodingError.dataCorruptedError(
        in: container,
        debugDescription: "no group '\(name)'; there are "
          + Self.own.map(\.rawValue).joined(separator: ", "))
    }
    self = group
  }
}

/// The features of some networks, by group, not scaled.
struct NetworkFeatures: Sendable {
  let count: Int
  /// `[count, width]`, row-major.
  let values: [Double]
  /// Whether a network's result depends on its input; others are constants that no training mends.
  let isConnected: [Bool]

  static let columns: [FeatureGroup: Range<Int>] = {
    let encoding = ArchitectureEncoding.self
    var columns: [FeatureGroup: Range<Int>] = [:]
    var start = 0
    for (group, width) in [
      (FeatureGroup.size, 8), (.operators, encoding.physical.count), (.paths, PathWays.count),
      (.pairs, encoding.paths.count - PathWays.count), (.waves, encoding.waves.count),
      (.transfer, 1),
    ] {
      columns[group] = start..<start + width
      start += width
    }
    return columns
  }()
  static let width = columns.values.map(\.upperBound).max() ?? 0

  init(_ encodings: [ArchitectureEncoding]) {
    count = encodings.count
    isConnected = encodings.map { $0.total(0) > 0 }
    var values: [Double] = []
    values.reserveCapacity(count * Self.width)
    let paths = ArchitectureEncoding.paths
    for encoding in encodings {
      // Multiply-accumulates, weights, activations, operators.
      let quantities = [1, 4, 3, 0]
      values += quantities.map { log(encoding.total($0, dead: true) + 1e-6) }
      values += quantities.map { log(encoding.total($0) + 1e-2) }
      for column in ArchitectureEncoding.physical { values.append(log1p(encoding.values[column])) }
      values += encoding.values[paths]
      values += encoding.values[ArchitectureEncoding.waves]
      values.append(0)
    }
    self.values = values
  }

  private init(_ values: [Double], _ isConnected: [Bool]) {
    count = isConnected.count
    self.values = values
    self.isConnected = isConnected
  }

  /// The same networks, with what a predictor of other spaces says of each.
  func adding(transfer scores: [Double]) -> NetworkFeatures {
    var values = values
    let column = Self.columns[.transfer]!.lowerBound
    for row in 0..<count { values[row * Self.width + column] = scores[row] }
    return NetworkFeatures(values, isConnected)
  }

  subscript(_ rows: some Collection<Int>) -> NetworkFeatures {
    NetworkFeatures(
      rows.flatMap { values[$0 * Self.width..<($0 + 1) * Self.width] },
      rows.map { isConnected[$0] })
  }

  /// Rows of networks whose result depends on their input.
  var connectedRows: [Int] { isConnected.indices.filter { isConnected[$0] } }
}

/// Mean and spread of each feature over some networks, to measure others by.
struct FeatureScale: Codable, Equatable, Sendable {
  var means: [Double]
  /// 0 for a feature that is the same everywhere and says nothing.
  var spreads: [Double]

  /// - Parameter rows: networks to measure by.
  init(_ features: NetworkFeatures, rows: some Collection<Int>) {
    let width = NetworkFeatures.width
    means = Array(repeating: 0, count: width)
    spreads = means
    let count = Double(max(1, rows.count))
    for row in rows {
      for column in 0..<width { means[column] += features.values[row * width + column] / count }
    }
    for row in rows {
      for column in 0..<width {
        let distance = features.values[row * width + column] - means[column]
        spreads[column] += distance * distance / count
      }
    }
    for column in 0..<width {
      let spread = spreads[column].squareRoot()
      spreads[column] = spread > 1e-6 * (1 + abs(means[column])) ? spread : 0
    }
  }

  /// The scale for features of which some are dropped; a kept one that is constant here is 0.
  func keeping(_ isKept: [Bool]) -> FeatureScale {
    var result = self
    for column in spreads.indices {
      result.spreads[column] =
        isKept[column] ? (spreads[column] > 0 ? spreads[column] : .infinity) : 0
    }
    return result
  }

  /// Features in units of the spread, each group with one unit of length in all, outliers held to
  /// five spreads.
  func apply(_ features: NetworkFeatures, rows: some Collection<Int>, groups: [FeatureGroup])
    -> GroupedFeatures
  {
    let kept = kept(of: groups)
    let ranges = ranges(of: groups)
    var values: [Float] = []
    values.reserveCapacity(rows.count * (ranges.last?.upperBound ?? 0))
    for row in rows {
      let first = row * NetworkFeatures.width
      for columns in kept {
        let unit = Double(max(1, columns.count)).squareRoot()
        for column in columns {
          let value = (features.values[first + column] - means[column]) / spreads[column]
          values.append(Float(min(max(value, -5), 5) / unit))
        }
      }
    }
    return GroupedFeatures(values, count: rows.count, groups: ranges)
  }

  /// Columns of each group that aren't dropped.
  private func kept(of groups: [FeatureGroup]) -> [[Int]] {
    groups.map { group in NetworkFeatures.columns[group]!.filter { spreads[$0] > 0 } }
  }

  /// Where the kept columns of each group come to lie, one group behind the other.
  func ranges(of groups: [FeatureGroup]) -> [Range<Int>] {
    var ranges: [Range<Int>] = []
    for columns in kept(of: groups) {
      let start = ranges.last?.upperBound ?? 0
      ranges.append(start..<start + columns.count)
    }
    return ranges
  }
}
