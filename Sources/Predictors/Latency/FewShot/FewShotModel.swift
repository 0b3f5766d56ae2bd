public import Architectures
public import Tensors

/// What was learned from many devices, ready to be adapted to a new one: the sources' latencies as
/// functions of the encoding, the prior over how devices combine them, and how wide intervals must
/// be.
public struct FewShotModel: Sendable {
  let sources: SourceDevices
  let prior: FewShotPrior
  let calibration: IntervalCalibration
  /// What it was trained on, for people.
  public let provenance: String

  init(
    sources: SourceDevices, prior: FewShotPrior, calibration: IntervalCalibration,
    provenance: String = ""
  ) {
    self.sources = sources
    self.prior = prior
    self.calibration = calibration
    self.provenance = provenance
  }

  /// Names of the devices it was trained on.
  public var sourceDevices: [String] { sources.names }

  /// Networks that stand for a space where functions are scaled to one.
  static let populationSize = 1000

  /// Encodings of networks drawn at random from spaces.
  static func population(
    _ encoders: [SpaceEncoder], count: Int = populationSize, seed: UInt64 = 0,
    engine: Engine? = nil
  ) throws -> (genotypes: [(space: Int, genotype: Genotype)], encodings: RowMatrix) {
    var genotypes: [(Int, Genotype)] = []
    var encodings = RowMatrix(rows: 0, columns: LatencyDataset.columns)
    for (index, encoder) in encoders.enumerated() {
      let own = encoder.space.population(count, seed: seed)
      genotypes += own.map { (index, $0) }
      let matrix = try LatencyDataset.encode(own, encoder: encoder, engine: engine)
      encodings.values += matrix.values
      encodings.rows += matrix.rows
    }
    return (genotypes, encodings)
  }

  /// The networks of a space to measure on a new device, most telling first.
  /// - Throws: `ArchitecturesError` when a block of the space does not fit.
  public func networksToMeasure(
    _ count: Int, of encoder: SpaceEncoder, seed: UInt64 = 0, engine: Engine? = nil
  ) throws -> [Genotype] {
    let population = try Self.population([encoder], seed: seed, engine: engine)
    let basis = FewShotBasis(sources: sources, population: population.encodings)
    return SampleSelection.choose(
      count, basis: basis, prior: prior, pool: population.encodings
    ).map { population.genotypes[$0].genotype }
  }

  /// A predictor for a device that was measured on a few networks.
  /// - Parameters:
  ///   - samples: encodings of measured networks with their latencies.
  ///   - encoders: of the spaces that samples and questions come from.
  /// - Throws: `badSamples` for fewer than two samples, or constant ones.
  public func adapted(
    to samples: [(encoding: ArchitectureEncoding, latency: Milliseconds)],
    spaces encoders: [SpaceEncoder], engine: Engine? = nil
  ) throws -> FewShotPredictor {
    let encodings = RowMatrix(
      rows: samples.count, columns: LatencyDataset.columns,
      values: samples.flatMap { $0.encoding.values[..<LatencyDataset.columns] })
    let population =
      encoders.isEmpty ? encodings : try Self.population(encoders, engine: engine).encodings
    return try adapted(
      FewShotBasis(sources: sources, population: population), encodings,
      samples.map(\.latency.value))
  }

  func adapted(_ basis: FewShotBasis, _ encodings: RowMatrix, _ latencies: [Double]) throws
    -> FewShotPredictor
  {
    try FewShotPredictor(
      basis: basis, prior: prior, calibration: calibration, encodings: encodings,
      latencies: latencies)
  }
}
