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
    var prices = BlockPrices(table)
    var uncovered = Set<Int>()
    func costs(_ fixed: (Double) -> Double, _ entry: (Double) -> Double) throws -> SeparableCost {
      try SeparableCost(
        space: space,
        pricing: { block, resolution in
          switch try prices.price(of: block, resolution: resolution) {
          case .fixed(let latency): return .cost(fixed(latency.value))
          case .entry(_, let latency): return .cost(entry(latency.value))
          case .missing(let what):
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
      var calibration = try Calibration(fitting: samples.map(calibrationSample))
      calibration.networks = samples.map { space.id($0.genotype) }
      return calibration
    } catch let error as DevicesError {
      throw PredictorsError(.badSamples, error.message)
    }
  }

  /// Samples of networks that the calibration was not fitted to, as far as it says.
  /// - Throws: as `SearchSpace.sameNetworks`.
  public func unseen(_ samples: [Sample]) throws -> [Sample] {
    // An id that the space doesn't have is none of the samples'.
    let fitted = (calibration?.networks ?? []).compactMap { try? space.genotype(id: $0) }
    guard !fitted.isEmpty else { return samples }
    return try space.sameNetworks(fitted + samples.map(\.genotype))
      .filter { $0[0] >= fitted.count }.joined().sorted().map { samples[$0 - fitted.count] }
  }

  /// How predictions compare with networks that neither table nor calibration saw.
  /// - Throws: `badSamples` for latencies that aren't above zero; `missingKeys` as above.
  public func evaluate(_ samples: [Sample]) throws -> LatencyEvaluation {
    try requirePrices(for: samples)
    return try LatencyEvaluation(
      predicted: samples.map { latency($0.genotype) }, measured: samples.map(\.measured))
  }
}

extension LookupTablePredictor {
  /// How many distinct keys of a space's blocks a table prices, and those that it lacks in slot
  /// order.
  public static func coverage(of space: SearchSpace, by table: LookupTable) throws
    -> (priced: Int, missing: [String])
  {
    var prices = BlockPrices(table)
    var priced = Set<String>()
    let costs = try SeparableCost(
      space: space,
      pricing: { block, resolution in
        switch try prices.price(of: block, resolution: resolution) {
        case .fixed: break
        case .entry(let key, _): priced.insert(key)
        case .missing(let what): return .missing(what)
        }
        return .cost(0)
      })
    return (priced.count, costs.missing)
  }
}

/// What a table says of blocks.
private struct BlockPrices {
  enum Price {
    /// Of blocks that the format doesn't list.
    case fixed(Milliseconds)
    case entry(key: String, Milliseconds)
    /// The key that the table lacks, or why there is none.
    case missing(String)
  }

  private let table: LookupTable
  private let format: BlockKeyFormat
  /// Texts take a while to write and don't depend on the place of a block.
  private var texts: [Block: BlockKeyFormat.Key] = [:]

  init(_ table: LookupTable) {
    self.table = table
    format = BlockKeyFormat(of: table)
  }

  mutating func price(of block: Block, resolution: Int) throws -> Price {
    let key = try texts[block] ?? format.key(of: block, resolution: resolution)
    if format == .text { texts[block] = key }
    switch key {
    case .fixed(let latency): return .fixed(latency)
    case .entry(let name):
      let key = table.key(name, resolution: resolution)
      return table.entries[key].map { Price.entry(key: key, $0.milliseconds) } ?? .missing(key)
    case .unknown(let what): return .missing(what)
    }
  }
}
