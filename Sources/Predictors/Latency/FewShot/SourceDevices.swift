/// What the predictor knows of other devices: for each one a linear function of the encoding,
/// fitted by ridge regression to all that was measured on it. It is free of the measurement's
/// noise and has a value for any network.
struct SourceDevices: Sendable, Equatable {
  var names: [String]
  /// `[names.count, LatencyDataset.columns]`, milliseconds per unit of each column.
  var weights: RowMatrix
  /// Milliseconds.
  var intercepts: [Double]

  /// Weight of the penalty, in samples of a standardised column.
  private static let ridge = 3.0

  /// Fits every device of the data sets; a device that occurs in several is one device.
  /// - Throws: `badSamples` when a device has fewer than two latencies.
  init(fitting datasets: [LatencyDataset]) throws {
    names = Set(datasets.flatMap(\.devices)).sorted()
    weights = RowMatrix(rows: names.count, columns: LatencyDataset.columns)
    intercepts = []
    let moments = datasets.map { Moments($0.encodings, rows: Array(0..<$0.encodings.rows)) }
    for (index, name) in names.enumerated() {
      var total = Moments(columns: LatencyDataset.columns)
      var response = [Double](repeating: 0, count: LatencyDataset.columns)
      var sum = 0.0
      for (dataset, whole) in zip(datasets, moments) {
        let rows = dataset.measured(on: name)
        guard !rows.isEmpty, let values = dataset.latencies[name] else { continue }
        total += rows.count == whole.count ? whole : Moments(dataset.encodings, rows: rows)
        for row in rows {
          sum += values[row]
          let first = row * LatencyDataset.columns
          for column in response.indices {
            response[column] += values[row] * dataset.encodings.values[first + column]
          }
        }
      }
      guard total.count > 1 else {
        throw PredictorsError(.badSamples, "source device '\(name)' has fewer than two latencies")
      }
      let fit = try total.ridge(response: response, sum: sum, penalty: Self.ridge)
      weights.values.replaceSubrange(
        index * LatencyDataset.columns..<(index + 1) * LatencyDataset.columns, with: fit.weights)
      intercepts.append(fit.intercept)
    }
  }

  init(names: [String], weights: RowMatrix, intercepts: [Double]) {
    self.names = names
    self.weights = weights
    self.intercepts = intercepts
  }

  /// Latencies `[rows, names.count]` of networks.
  func latencies(_ encodings: RowMatrix) -> RowMatrix {
    var result = encodings.times(weights.transposed)
    for row in 0..<result.rows {
      for column in names.indices { result[row, column] += intercepts[column] }
    }
    return result
  }
}

/// Count, sums and products of columns: all that ridge regression needs of its data.
private struct Moments {
  var count = 0
  var sums: [Double]
  var products: RowMatrix

  init(columns: Int) {
    sums = Array(repeating: 0, count: columns)
    products = RowMatrix(rows: columns, columns: columns)
  }

  init(_ matrix: RowMatrix, rows: [Int]) {
    let data = rows.count == matrix.rows ? matrix : matrix.selecting(rows)
    count = data.rows
    sums = Array(repeating: 0, count: data.columns)
    for row in 0..<data.rows {
      for column in 0..<data.columns { sums[column] += data[row, column] }
    }
    products = data.gram
  }

  static func += (a: inout Moments, b: Moments) {
    a.count += b.count
    for index in a.sums.indices { a.sums[index] += b.sums[index] }
    for index in a.products.values.indices { a.products.values[index] += b.products.values[index] }
  }

  /// Regression on standardised columns, in terms of the columns as they are.
  func ridge(response: [Double], sum: Double, penalty: Double) throws
    -> (weights: [Double], intercept: Double)
  {
    let n = Double(count)
    let means = sums.map { $0 / n }
    let deviations = means.indices.map { column -> Double in
      let variance = products[column, column] / n - means[column] * means[column]
      // Below the rounding of the sums, a column is constant.
      return variance > 1e-10 * (1 + means[column] * means[column]) ? variance.squareRoot() : 0
    }
    let used = deviations.indices.filter { deviations[$0] > 0 }
    var matrix = RowMatrix(rows: used.count, columns: used.count)
    var target = [Double](repeating: 0, count: used.count)
    for (i, a) in used.enumerated() {
      for (j, b) in used.enumerated() {
        matrix[i, j] =
          (products[a, b] - n * means[a] * means[b]) / (deviations[a] * deviations[b])
      }
      matrix[i, i] += penalty
      target[i] = (response[a] - means[a] * sum) / deviations[a]
    }
    guard let factor = CholeskyFactor(matrix.values, size: matrix.rows) else {
      throw PredictorsError(.failed, "the encodings' products are not positive definite")
    }
    let solution = factor.solve(target)
    var weights = [Double](repeating: 0, count: means.count)
    var intercept = sum / n
    for (value, column) in zip(solution, used) {
      weights[column] = value / deviations[column]
      intercept -= weights[column] * means[column]
    }
    return (weights, intercept)
  }
}
