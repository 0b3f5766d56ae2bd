/// What a predictor's file says beside the weights.
public struct AccuracyPredictorDescription: Codable, Equatable, Sendable {
  /// Where the weights come from.
  public struct Provenance: Codable, Equatable, Sendable {
    /// Data the weights were trained on: name and SHA-256 or another digest of the file.
    public var data: String
    public var dataDigest: String?
    /// Architectures to train, choose and test on.
    public var training: Int?
    public var validation: Int?
    public var test: Int?
    /// Seed of the split.
    public var seed: UInt64?
    public var recipe: AccuracyRecipe?
    /// On the test part of this split.
    public var testRanks: RankStatistics?
    public var testErrors: ErrorStatistics?
    /// UTC, ISO 8601.
    public var date: String?
    public var notes: [String]

    public init(data: String, notes: [String] = []) {
      self.data = data
      self.notes = notes
    }
  }

  /// Name of the space the weights were trained for.
  public var space: String
  public var encoding: FeatureEncoding
  /// Pixels of the inputs that the weights were trained at.
  public var trainedResolutions: [Int]
  /// Carries accuracies over to other resolutions; without it a genotype's resolution counts only
  /// through the encoding.
  public var resolutionLaw: ResolutionLaw?
  public var provenance: Provenance
}
