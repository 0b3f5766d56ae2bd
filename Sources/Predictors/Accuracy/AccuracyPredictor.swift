public import Architectures

/// Predicts the accuracy (top-1, 0...1) of a space's architectures: an ensemble of multilayer
/// perceptrons over the genes' choices, kept in one safetensors file.
public struct AccuracyPredictor: Sendable {
  /// A predicted accuracy and what it is worth.
  public struct Prediction: Hashable, Sendable {
    /// 0...1.
    public var accuracy: Double
    /// Standard deviation over the ensemble's members; 0 for a single one.
    public var spread: Double
    /// Whether the space or the resolution is one that the predictor wasn't trained at, so that the
    /// accuracy comes from a law or from a neighbour.
    public var isExtrapolation: Bool
  }

  public let space: SearchSpace
  public let description: AccuracyPredictorDescription
  /// What to say where the weights were trained for a space of another name: the file and both
  /// spaces.
  public let mismatch: String?
  let members: [MultilayerPerceptron]
  private let scorer: EnsembleScorer
  private let resolutionGene: Int?
  /// By choice of resolution.
  private let errorFactors: [Double]
  private let isExtrapolated: [Bool]
  /// Choices of each gene.
  private let counts: [UInt8]

  /// - Throws: `badPredictor` where encoding, weights and space don't fit each other.
  init(
    space: SearchSpace, description: AccuracyPredictorDescription,
    members: [MultilayerPerceptron], name: String
  ) throws {
    let mismatch: String? =
      description.space == space.name
      ? nil : "\(name) was made for '\(description.space)', not '\(space.name)'"
    let source = mismatch ?? name
    let (columns, count) = try description.encoding.layOut(for: space, name: source)
    guard !members.isEmpty else {
      throw PredictorsError(.badPredictor, "\(source): no weights")
    }
    for member in members { try member.validate(inputs: count, name: source) }
    self.mismatch = mismatch
    self.space = space
    self.description = description
    self.members = members
    scorer = EnsembleScorer(space: space, columns: columns, members: members)
    resolutionGene = space.resolutionGeneIndex
    let resolutions = space.choicesOfResolution
    errorFactors = resolutions.map { description.resolutionLaw?.errorFactor(at: $0) ?? 1 }
    counts = space.genes.map { UInt8(clamping: $0.count) }
    isExtrapolated = resolutions.map {
      mismatch != nil || !description.trainedResolutions.contains($0)
    }
  }

  /// The accuracy of each genotype, in order, with its spread.
  ///
  /// Bits don't depend on which other genotypes are asked for.
  /// - Throws: `badSamples` for a genotype of another space.
  public func predict(_ genotypes: [Genotype]) throws -> [Prediction] {
    try check(genotypes)
    var result: [Prediction] = []
    result.reserveCapacity(genotypes.count)
    scorer.score(genotypes) { index, outputs in
      let choice = resolutionChoice(genotypes[index])
      let mean = outputs.reduce(0, +) / Double(outputs.count)
      let squares = outputs.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      let spread = (squares / Double(max(outputs.count - 1, 1))).squareRoot()
      result.append(
        Prediction(
          accuracy: clamp(1 - (1 - mean) * errorFactors[choice]),
          spread: spread * errorFactors[choice], isExtrapolation: isExtrapolated[choice]))
    }
    return result
  }

  /// The accuracy of each genotype, in order, 0...1: what searches ask for.
  /// - Throws: `badSamples` for a genotype of another space.
  public func scores(_ genotypes: [Genotype]) throws -> [Double] {
    var result = [Double](repeating: 0, count: genotypes.count)
    try score(genotypes, into: &result)
    return result
  }

  /// Writes the accuracies to the first elements of `result`, allocating nothing once warm.
  /// - Throws: `badSamples` for a genotype of another space.
  public func score(_ genotypes: [Genotype], into result: inout [Double]) throws {
    try check(genotypes)
    precondition(result.count >= genotypes.count, "room for one score a genotype")
    scorer.score(genotypes) { index, outputs in
      let mean = outputs.reduce(0, +) / Double(outputs.count)
      result[index] = clamp(1 - (1 - mean) * errorFactors[resolutionChoice(genotypes[index])])
    }
  }

  private func clamp(_ accuracy: Double) -> Double { min(max(accuracy, 0), 1) }

  private func resolutionChoice(_ genotype: Genotype) -> Int {
    resolutionGene.map { genotype[$0] } ?? 0
  }

  private func check(_ genotypes: [Genotype]) throws {
    for genotype in genotypes {
      guard genotype.genes.count == counts.count,
        zip(genotype.genes, counts).allSatisfy({ $0 < $1 })
      else {
        throw PredictorsError(
          .badSamples, "a genotype of \(genotype.genes.count) genes is none of \(space.name)")
      }
    }
  }
}

extension SearchSpace {
  var resolutionGeneIndex: Int? { genes.firstIndex { $0.role == .resolution } }

  /// Input resolutions in pixels, by choice of the resolution gene; one without such a gene.
  var choicesOfResolution: [Int] {
    resolutionGeneIndex.map { genes[$0].values.map { Int($0) } }
      ?? [resolution(Genotype([UInt8](repeating: 0, count: genes.count)))]
  }
}
