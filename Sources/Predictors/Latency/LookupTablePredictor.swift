public import Architectures
public import Devices

/// Predicts latency as the sum of a network's blocks in a lookup table, calibrated if the table is.
public struct LookupTablePredictor: Sendable {
  public let space: SearchSpace
  public let provenance: LookupTable.Provenance
  public let calibration: Calibration?
  private let sums: SeparableCost
  private let counts: SeparableCost
  /// Blocks with the calibration's slope and cost a block.
  private let calibrated: SeparableCost?
  private let resolutionGene: Int?
  /// The calibration's terms of a whole network, by choice of resolution.
  private let wholes: [Double]

  /// - Throws: `missingKeys` naming the first and how many, if the table lacks blocks of the space.
  public init(space: SearchSpace, table: LookupTable) throws {
    let format = BlockKeyFormat(of: table)
    // Texts take a while to write and don't depend on the place of a block.
    var texts: [Block: BlockKeyFormat.Key] = [:]
    func key(_ block: Block, _ resolution: Int) throws -> BlockKeyFormat.Key {
      if let known = texts[block] { return known }
      let key = try format.key(of: block, resolution: resolution)
      if format == .text { texts[block] = key }
      return key
    }
    func costs(
      fixed: (Double) -> Double, entry: (Double) -> Double
    ) throws -> SeparableCost {
      try SeparableCost(
        space: space,
        pricing: { block, resolution in
          switch try key(block, resolution) {
          case .fixed(let latency): return .cost(fixed(latency.value))
          case .unknown(let what): return .missing(what)
          case .entry(let name):
            let key = table.key(name, resolution: resolution)
            return table.entries[key].map { .cost(entry($0.milliseconds.value)) } ?? .missing(key)
          }
        })
    }
    sums = try costs(fixed: { $0 }, entry: { $0 })
    if let first = sums.missing.first {
      let device = table.provenance.device
      throw PredictorsError(
        .missingKeys,
        "the table of '\(device)' lacks \(sums.missing.count) blocks of \(space.name), first: \(first)")
    }
    counts = try costs(fixed: { _ in 0 }, entry: { _ in 1 })
    self.space = space
    provenance = table.provenance
    calibration = table.calibration
    resolutionGene = space.resolutionGeneIndex
    if let calibration {
      calibrated = try costs(
        fixed: { calibration.slope * $0 },
        entry: { calibration.slope * $0 + calibration.perBlock })
      wholes = space.choicesOfResolution.map {
        calibration.latency(sum: Milliseconds(0), blocks: 0, resolution: $0).value
      }
    } else {
      calibrated = nil
      wholes = []
    }
  }

  /// Latency in milliseconds, in about 100 ns.
  public func cost(_ genotype: Genotype) throws -> Double {
    guard genotype.genes.count == space.genes.count else {
      throw PredictorsError(
        .badSamples, "a genotype of \(genotype.genes.count) genes is none of \(space.name)")
    }
    guard let calibrated else { return sums(genotype) }
    return calibrated(genotype) + wholes[resolutionGene.map { genotype[$0] } ?? 0]
  }

  public func latency(_ genotype: Genotype) throws -> Milliseconds {
    Milliseconds(try cost(genotype))
  }

  /// A whole network with its measured latency.
  public struct Sample: Hashable, Sendable {
    public var genotype: Genotype
    public var measured: Milliseconds

    public init(_ genotype: Genotype, measured: Milliseconds) {
      self.genotype = genotype
      self.measured = measured
    }
  }

  /// A calibration fitted on measured networks; which terms it has is decided on these alone.
  /// - Throws: `badSamples` if they are too few or don't determine one.
  public func calibration(fitting samples: [Sample]) throws -> Calibration {
    do {
      return try Calibration(
        fitting: samples.map { sample in
          Calibration.Sample(
            sum: Milliseconds(sums(sample.genotype)), blocks: Int(counts(sample.genotype)),
            resolution: space.resolution(sample.genotype), measured: sample.measured)
        })
    } catch let error as DevicesError {
      throw PredictorsError(.badSamples, error.message)
    }
  }

  /// How predictions compare with networks that neither table nor calibration saw.
  /// - Throws: `badSamples` for latencies that aren't above zero.
  public func evaluate(_ samples: [Sample]) throws -> LatencyEvaluation {
    try LatencyEvaluation(
      predicted: samples.map { try latency($0.genotype) }, measured: samples.map(\.measured))
  }
}
