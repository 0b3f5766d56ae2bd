public import Foundation

/// How an accuracy predictor is trained; kept as JSON, with unknown keys refused.
public struct AccuracyRecipe: Codable, Equatable, Sendable {
  /// What the validation part chooses between.
  public struct Candidate: Codable, Equatable, Sendable {
    /// Widths of the hidden layers.
    public var hidden: [Int]
    /// Of AdamW (Loshchilov and Hutter 2017); falls to zero on a cosine.
    public var learningRate: Double
    /// Decoupled, on weights only, times the learning rate.
    public var weightDecay: Double
    public var epochs: Int

    public init(hidden: [Int], learningRate: Double, weightDecay: Double, epochs: Int) {
      self.hidden = hidden
      self.learningRate = learningRate
      self.weightDecay = weightDecay
      self.epochs = epochs
    }
  }

  public var space: String
  /// Pixels of the inputs the samples were measured at; nil if each was at its own.
  public var resolution: Int?
  /// Of the ensemble; each starts from other weights and sees the samples in another order.
  public var members = 8
  public var batch = 64
  /// Shares of the architectures to test and to choose on; the others train.
  public var test = 0.15
  public var validation = 0.1
  public var seed: UInt64 = 1
  public var candidates: [Candidate]
  /// Absent: `FeatureEncoding.blocks`, with the resolution where samples have their own.
  public var encoding: FeatureEncoding?

  public init(space: String, resolution: Int? = nil, candidates: [Candidate]) {
    self.space = space
    self.resolution = resolution
    self.candidates = candidates
  }

  /// Reads a recipe.
  /// - Throws: `badRecipe` naming the file and the key.
  public init(contentsOf path: String) throws {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw PredictorsError(.badRecipe, "\(path): cannot be read")
    }
    try self.init(json: data, name: path)
  }

  public init(json: Data, name: String = "recipe") throws {
    self = try RecipeFile.decode(
      AccuracyRecipe.self, from: json, name: name,
      known: [
        "": CodingKeys.allCases.map(\.stringValue),
        "candidates": ["hidden", "learningRate", "weightDecay", "epochs"],
        "encoding": ["groups"], "encoding.groups": ["role", "genes", "values"],
      ])
    if let problem { throw PredictorsError(.badRecipe, "\(name): \(problem)") }
  }

  /// - Throws: `badRecipe` saying what can't be.
  public func validate() throws {
    if let problem { throw PredictorsError(.badRecipe, "recipe: \(problem)") }
  }

  private var problem: String? {
    if !(1...64).contains(members) { return "members must be 1...64, is \(members)" }
    if !(1...65_536).contains(batch) { return "batch must be 1...65536, is \(batch)" }
    if let resolution, resolution < 1 {
      return "resolution must be above 0, is \(resolution)"
    }
    if !(test > 0 && validation > 0 && test + validation < 1) {
      return "test and validation must be above 0 and less than 1 together"
    }
    if candidates.isEmpty { return "needs a candidate" }
    for candidate in candidates {
      if candidate.hidden.isEmpty || !candidate.hidden.allSatisfy({ (1...4096).contains($0) }) {
        return "hidden needs widths 1...4096, has \(candidate.hidden)"
      }
      if !(candidate.learningRate > 0 && candidate.learningRate < 1) {
        return "learningRate must be above 0 and below 1, is \(candidate.learningRate)"
      }
      if !(candidate.weightDecay >= 0 && candidate.weightDecay * candidate.learningRate < 1) {
        return "weightDecay must not be negative, nor shrink weights to nothing in a step"
      }
      if !(1...100_000).contains(candidate.epochs) {
        return "epochs must be 1...100000, is \(candidate.epochs)"
      }
    }
    return nil
  }

  enum CodingKeys: String, CodingKey, CaseIterable {
    case space, resolution, members, batch, test, validation, seed, candidates, encoding
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    space = try container.decode(String.self, forKey: .space)
    resolution = try container.decodeIfPresent(Int.self, forKey: .resolution)
    candidates = try container.decode([Candidate].self, forKey: .candidates)
    members = try container.decodeIfPresent(Int.self, forKey: .members) ?? members
    batch = try container.decodeIfPresent(Int.self, forKey: .batch) ?? batch
    test = try container.decodeIfPresent(Double.self, forKey: .test) ?? test
    validation = try container.decodeIfPresent(Double.self, forKey: .validation) ?? validation
    seed = try container.decodeIfPresent(UInt64.self, forKey: .seed) ?? seed
    encoding = try container.decodeIfPresent(FeatureEncoding.self, forKey: .encoding)
  }
}
