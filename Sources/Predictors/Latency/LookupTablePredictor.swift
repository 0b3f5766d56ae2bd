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

  /// - Throws: `missingKeys` when the table prices no architecture's every block: it names the
  ///   first key that is missing and how many are.
  public init(space: SearchSpace, table: LookupTable) throws {
    let style = try TableKeys(of: table)
    var keys: [Block: String?] = [:]
    func key(_ block: Block) throws -> String? {
      if let known = keys[block] { return known }
      let key = try style.key(block)
      keys[block] = .some(key)
      return key
    }
    sums = try SeparableCost(space: space) { (block: Block, resolution: Int) in
      guard let name = try key(block).map({ table.key($0, resolution: resolution) }) else {
        return .cost(0)
      }
      return table.entries[name].map { .cost($0.milliseconds.value) } ?? .missing(name)
    }
    counts = try SeparableCost(space: space) { try key($0) == nil ? .cost(0) : .cost(1) }
    self.space = space
    provenance = table.provenance
    calibration = table.calibration
    missing = sums.missing
    guard !table.entries.isEmpty, missing.isEmpty || coversSomething() else {
      throw PredictorsError(
        .missingKeys,
        "the table of '\(table.provenance.device)' lacks \(missing.count) blocks of \(space.name), "
          + "first '\(missing.first ?? "")'")
    }
  }

  /// Whether some resolution is priced in full at both ends of the other genes.
  private func coversSomething() -> Bool {
    let choices = space.genes.first { $0.role == .resolution }?.count ?? 1
    return (0..<choices).contains { choice in
      [0, 255].allSatisfy { end in
        let genotype = Genotype(
          space.genes.map { gene in
            gene.role == .resolution ? UInt8(choice) : UInt8(min(end, gene.count - 1))
          })
        return !sums(genotype).isNaN
      }
    }
  }

  /// Sum of the table's entries without calibration; NaN where one is missing.
  public func sum(_ genotype: Genotype) -> Milliseconds { Milliseconds(sums(genotype)) }

  /// What calibration needs to know of an architecture beside its measured latency.
  public func calibrationSample(_ genotype: Genotype, measured: Milliseconds) -> Calibration.Sample {
    Calibration.Sample(
      sum: sum(genotype), blocks: Int(counts(genotype)), resolution: space.resolution(genotype),
      measured: measured)
  }

  /// Predicted latency in milliseconds; infinite where a block has no price, so that no budget
  /// holds it.
  public func latency(_ genotype: Genotype) -> Milliseconds {
    let sum = sums(genotype)
    guard !sum.isNaN else { return Milliseconds(.infinity) }
    guard let calibration else { return Milliseconds(sum) }
    return calibration.latency(
      sum: Milliseconds(sum), blocks: Int(counts(genotype)),
      resolution: space.resolution(genotype))
  }
}
