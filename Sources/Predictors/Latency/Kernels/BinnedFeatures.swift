/// Features in at most 64 bins each, so that a split is found by counting.
struct BinnedFeatures {
  let rows: Int
  let columns: Int
  /// Bin of each row, column after column.
  let bins: [UInt8]
  /// Upper edges of the bins of a column but the last.
  let edges: [[Float]]

  static let most = 64

  /// - Parameter features: one row each, all of `columns` numbers.
  init(_ features: [[Float]], columns: Int) {
    rows = features.count
    self.columns = columns
    var bins: [UInt8] = []
    bins.reserveCapacity(rows * columns)
    var edges: [[Float]] = []
    for column in 0..<columns {
      let values = features.map { $0[column] }
      let found = Self.edges(of: values.sorted())
      bins += values.map { value in
        var (low, high) = (0, found.count)
        while low < high {
          let middle = (low + high) / 2
          if value <= found[middle] { high = middle } else { low = middle + 1 }
        }
        return UInt8(low)
      }
      edges.append(found)
    }
    self.bins = bins
    self.edges = edges
  }

  /// Halfway between neighbouring values: between all, or at the quantiles where they are many.
  private static func edges(of sorted: [Float]) -> [Float] {
    var distinct: [Float] = []
    for value in sorted where value != distinct.last { distinct.append(value) }
    func between(_ a: Float, _ b: Float) -> Float { a + (b - a) / 2 }
    if distinct.count <= most {
      return zip(distinct, distinct.dropFirst()).map { between($0, $1) }
    }
    var edges: [Float] = []
    for bin in 1..<most {
      let index = bin * sorted.count / most
      let edge =
        sorted[index - 1] == sorted[index]
        ? sorted[index] : between(sorted[index - 1], sorted[index])
      if edge != edges.last, edge < sorted[sorted.count - 1] { edges.append(edge) }
    }
    return edges
  }
}
