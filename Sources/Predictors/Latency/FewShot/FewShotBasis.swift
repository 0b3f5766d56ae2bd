/// The functions of a network among which a new device's latency is sought, in three groups, all
/// linear in the encoding and scaled to a population of networks:
/// - the latencies of the source devices,
/// - a few physical totals (MACs, bytes, operators of each kind, path lengths),
/// - every column of the encoding.
///
/// A group's functions share one prior variance, which the meta-learned prior decides.
struct FewShotBasis: Sendable {
  static let groups = ["source devices", "totals", "encoding"]

  /// Mean encoding of the population.
  let means: [Double]
  /// Of the first two groups: `[LatencyDataset.columns, width]`.
  let maps: [RowMatrix]
  /// Of the third group, whose functions are the columns themselves; 0 for a constant column.
  let scales: [Double]
  /// Names of the source devices, in the order of the first map's columns.
  let sources: [String]

  /// - Parameter population: encodings that scale the functions; more than one.
  init(sources: SourceDevices, population: RowMatrix) {
    means = Self.means(population)
    self.sources = sources.names
    let centred = Self.centred(population, means)
    func scaled(_ map: RowMatrix) -> RowMatrix {
      Self.scaled(map, deviations: Self.deviations(centred.times(map)))
    }
    maps = [scaled(sources.weights.transposed), scaled(Self.totals)]
    let deviations = Self.deviations(centred)
    let used = Double(deviations.count { $0 > 0 }).squareRoot()
    scales = deviations.map { $0 > 0 ? 1 / ($0 * used) : 0 }
  }

  /// The functions' values by group, `[rows, width]` each; a group's squares sum to one on average.
  func features(_ encodings: RowMatrix) -> [RowMatrix] {
    let centred = Self.centred(encodings, means)
    var columns = centred
    for row in 0..<columns.rows {
      for column in scales.indices { columns[row, column] *= scales[column] }
    }
    return maps.map { centred.times($0) } + [columns]
  }

  /// The function `sum over groups of features * weights` as weights of the encoding's columns.
  /// - Parameter weights: one a function, by group.
  func columnWeights(_ weights: [[Double]]) -> [Double] {
    var result = zip(scales, weights[2]).map { $0 * $1 }
    for (map, weights) in zip(maps, weights) {
      for (column, value) in map.times(weights).enumerated() { result[column] += value }
    }
    return result
  }

  /// Sums over kinds of each quantity, live and dead, the topology, and operators by kind.
  private static let totals: RowMatrix = {
    var columns: [[Int]] = []
    let (kinds, quantities) = (OperatorKind.allCases.count, ArchitectureEncoding.quantities)
    for first in [0, ArchitectureEncoding.dead.lowerBound] {
      for quantity in 0..<quantities {
        columns.append((0..<kinds).map { first + $0 * quantities + quantity })
      }
    }
    columns += ArchitectureEncoding.topology.map { [$0] }
    columns += (0..<kinds).map { [$0 * quantities] }
    var map = RowMatrix(rows: LatencyDataset.columns, columns: columns.count)
    for (index, members) in columns.enumerated() {
      for member in members { map[member, index] = 1 }
    }
    return map
  }()

  /// Keeps the functions that vary, divided by their deviation and the root of their number.
  private static func scaled(_ map: RowMatrix, deviations: [Double]) -> RowMatrix {
    let used = deviations.indices.filter { deviations[$0] > 0 }
    var result = RowMatrix(rows: map.rows, columns: used.count)
    for row in 0..<map.rows {
      for (index, column) in used.enumerated() {
        result[row, index] =
          map[row, column] / (deviations[column] * Double(used.count).squareRoot())
      }
    }
    return result
  }

  static func centred(_ matrix: RowMatrix, _ means: [Double]) -> RowMatrix {
    var result = matrix
    for row in 0..<matrix.rows {
      for column in means.indices { result[row, column] -= means[column] }
    }
    return result
  }

  private static func means(_ matrix: RowMatrix) -> [Double] {
    var sums = [Double](repeating: 0, count: matrix.columns)
    for row in 0..<matrix.rows {
      for column in sums.indices { sums[column] += matrix[row, column] }
    }
    return sums.map { $0 / Double(max(1, matrix.rows)) }
  }

  /// Of centred columns; 0 where a column is constant but for rounding.
  private static func deviations(_ matrix: RowMatrix) -> [Double] {
    var squares = [Double](repeating: 0, count: matrix.columns)
    for row in 0..<matrix.rows {
      for column in squares.indices { squares[column] += matrix[row, column] * matrix[row, column] }
    }
    return squares.map { square in
      let deviation = (square / Double(max(1, matrix.rows))).squareRoot()
      return deviation > 1e-7 ? deviation : 0
    }
  }
}

/// Inner products of functions' values by group: what a Gaussian process is made of.
struct FewShotKernel: Sendable {
  /// `[rows, columns]` by group.
  var groups: [RowMatrix]

  init(_ a: [RowMatrix], _ b: [RowMatrix]) {
    groups = zip(a, b).map { $0.times($1.transposed) }
  }

  /// The covariance of two sets of networks under prior variances by group.
  func covariance(_ variances: [Double]) -> RowMatrix {
    var result = groups[0]
    for index in result.values.indices {
      var sum = FewShotPrior.constantVariance
      for (group, variance) in zip(groups, variances) { sum += variance * group.values[index] }
      result.values[index] = sum
    }
    return result
  }
}
