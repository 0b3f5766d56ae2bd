public import Architectures
public import Tensors

/// Latencies of architectures of one space on many devices, with the encodings of the
/// architectures.
public struct LatencyDataset: Sendable {
  public let space: SearchSpace
  public let genotypes: [Genotype]
  /// `[genotypes.count, LatencyDataset.columns]`: the columns of the encoding that add up along a
  /// network, so that a linear predictor is one, too.
  let encodings: RowMatrix
  /// Milliseconds by device, in the order of the genotypes; NaN where none was measured.
  public var latencies: [String: [Double]]

  /// Columns of an encoding that latency predictors read.
  static let columns = ArchitectureEncoding.topology.upperBound

  /// - Throws: `ArchitecturesError` when a genotype does not fit the space.
  public init(
    space: SearchSpace, genotypes: [Genotype], latencies: [String: [Double]],
    encoder: SpaceEncoder? = nil, engine: Engine? = nil
  ) throws {
    self.space = space
    self.genotypes = genotypes
    self.latencies = latencies
    encodings = try Self.encode(
      genotypes, encoder: encoder ?? SpaceEncoder(space), engine: engine)
  }

  private init(
    space: SearchSpace, genotypes: [Genotype], encodings: RowMatrix,
    latencies: [String: [Double]]
  ) {
    self.space = space
    self.genotypes = genotypes
    self.encodings = encodings
    self.latencies = latencies
  }

  public var devices: [String] { latencies.keys.sorted() }

  /// The same architectures with some of the devices.
  func with(devices: [String]) -> LatencyDataset {
    LatencyDataset(
      space: space, genotypes: genotypes, encodings: encodings,
      latencies: latencies.filter { devices.contains($0.key) })
  }

  /// Rows that were measured on a device.
  func measured(on device: String) -> [Int] {
    guard let values = latencies[device] else { return [] }
    return values.indices.filter { values[$0].isFinite }
  }

  static func encode(_ genotypes: [Genotype], encoder: SpaceEncoder, engine: Engine?) throws
    -> RowMatrix
  {
    var result = RowMatrix(rows: 0, columns: columns)
    result.values.reserveCapacity(genotypes.count * columns)
    // In pieces, so that the full encodings are never all in memory.
    for start in stride(from: 0, to: genotypes.count, by: 1024) {
      let piece = Array(genotypes[start..<min(start + 1024, genotypes.count)])
      let full = try encoder.encode(piece, engine: engine)
      for row in piece.indices {
        let first = row * ArchitectureEncoding.count
        result.values += full[first..<first + columns]
      }
    }
    result.rows = genotypes.count
    return result
  }
}
