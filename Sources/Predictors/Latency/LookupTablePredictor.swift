public import Architectures
public import Devices

/// Latency by lookup table: the sum over an architecture's blocks, calibrated on whole networks
/// where the table has a calibration. A query takes some hundred nanoseconds.
public struct LookupTablePredictor: Sendable {
  public let space: SearchSpace
  public let provenance: LookupTable.Provenance
  public let calibration: Calibration?
  /// Keys that the table lacks; architectures with such a block have no latency.
  public let missing: [String]
  private let sums: SeparableCost
  private let counts: SeparableCost
  /// The sum with the calibration's slope and cost a block.
  private let calibrated: SeparableCost
  private let resolutionGene: Int?
  /// The calibration's terms of a whole network, by choice of resolution.
  private let wholes: [Double]

  /// - Throws: `missingKeys` when the table covers the space's blocks at none of its resolutions: it
  ///   names the first key that is missing and how many are.
  public init(space: SearchSpace, table: LookupTable) throws {
    let format = BlockKeyFormat(of: table)
    // Texts take a while to write and don't depend on the place of a block.
    var texts: [Block: BlockKeyFormat.Key] = [:]
    var uncovered = Set<Int>()
    func costs(_ fixed: (Double) -> Double, _ entry: (Double) -> Double) throws -> SeparableCost {
      try SeparableCost(
        space: space,
        pricing: { block, resolution in
          let key = try texts[block] ?? format.key(of: block, resolution: resolution)
          if format == .text { texts[block] = key }
          switch key {
          case .fixed(let latency): return .cost(fixed(latency.value))
          case .entry(let name):
            let key = table.key(name, resolution: resolution)
            if let found = table.entries[key] { return .cost(entry(found.milliseconds.value)) }
            uncovered.insert(resolution)
            return .missing(key)
          case .unknown(let what):
            uncovered.insert(resolution)
            return .missing(what)
          }
        })
    }
    let resolutions = space.choicesOfResolution
    sums = try costs({ $0 }, { $0 })
    missing = sums.missing
    guard resolutions.contains(where: { !uncovered.contains($0) }) else {
      throw PredictorsError(
        .missingKeys,
        "the table of '\(table.provenance.device)' lacks \(missing.count) blocks of \(space.name), "
          + "first '\(missing.first ?? "")'")
    }
    counts = try costs({ _ in 0 }, { _ in 1 })
    self.space = space
    provenance = table.provenance
    calibration = table.calibration
    resolutionGene = space.resolutionGeneIndex
    if let calibration {
      calibrated = try costs(
        { calibration.slope * $0 }, { calibration.slope * $0 + calibration.perBlock })
      wholes = resolutions.map {
        calibration.latency(sum: Milliseconds(0), blocks: 0, resolution: $0).value
      }
    } else {
      calibrated = sums
      wholes = resolutions.map { _ in 0 }
    }
  }

  /// Sum of the table's entries without calibration; NaN where one is missing.
  public func sum(_ genotype: Genotype) -> Milliseconds { Milliseconds(sums(genotype)) }

  /// Predicted latency; infinite where a block has no price, so that no budget holds it.
  public func latency(_ genotype: Genotype) -> Milliseconds {
    let latency = calibrated(genotype) + wholes[resolutionGene.map { genotype[$0] } ?? 0]
    return Milliseconds(latency.isNaN ? .infinity : latency)
  }

  /// `latency` as a number of milliseconds.
  public func cost(_ genotype: Genotype) -> Double { latency(genotype).value }

  /// What calibration needs to know of a network that `requirePrices` let pass.
  private func calibrationSample(_ sample: Sample) -> Calibration.Sample {
    Calibration.Sample(
      sum: sum(sample.genotype), blocks: Int(counts(sample.genotype)),
      resolution: space.resolution(sample.genotype), measured: sample.measured)
  }

  private func requirePrices(for samples: [Sample]) throws {
    guard let sample = samples.first(where: { counts($0.genotype).isNaN }) else { return }
    throw PredictorsError(
      .missingKeys,
      "the table of '\(provenance.device)' lacks blocks of \(space.id(sample.genotype)); leave that "
        + "sample out, or complete the table")
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
  /// - Throws: `badSamples` if they are too few or don't determine one; `missingKeys` naming the
  ///   first of them that the table has no price for.
  public func calibration(fitting samples: [Sample]) throws -> Calibration {
    try requirePrices(for: samples)
    do {
      return try Calibration(fitting: samples.map(calibrationSample))
    } catch let error as DevicesError {
      throw PredictorsError(.badSamples, error.message)
    }
  }

  /// How predictions compare with networks that neither table nor calibration saw.
  /// - Throws: `badSamples` for latencies that aren't above zero; `missingKeys` as above.
  public func evaluate(_ samples: [Sample]) throws -> LatencyEvaluation {
    try requirePrices(for: samples)
    return try LatencyEvaluation(
      predicted: samples.map { latency($0.genotype) }, measured: samples.map(\.measured))
  }
}
