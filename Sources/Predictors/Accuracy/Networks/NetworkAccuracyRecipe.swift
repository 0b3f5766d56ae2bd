public import Foundation

/// How a predictor of any networks' accuracy is trained; kept as JSON, with unknown keys refused.
public struct NetworkAccuracyRecipe: Codable, Equatable, Sendable {
  /// One Gaussian process of the ensemble.
  public struct Member: Codable, Equatable, Sendable {
    public var groups: [FeatureGroup]
    /// Whether a linear trend is part of the kernel.
    public var trend: Bool

    public init(groups: [FeatureGroup] = FeatureGroup.own, trend: Bool) {
      self.groups = groups
      self.trend = trend
    }
  }

  /// Tells this recipe from one for a single space.
  public var predictor = "networks"
  public var members = [
    Member(trend: false), Member(trend: true),
    Member(groups: [.size, .paths, .pairs], trend: false),
  ]
  /// Samples that choose a kernel's parameters, and samples that are kept in all: the rest, by
  /// seed, is left out.
  public var choosing = 400
  public var limit = 1500
  /// Steps of the choice.
  public var steps = 100
  public var seed: UInt64 = 1
  /// Expected weight of the perceptrons that learn to rank, 0...1, which left-out samples correct; they
  /// need networks without accuracies. 0 for none.
  public var rankingShare = 0.4

  public init() {}

  /// Groups that any of the members reads.
  var groups: [FeatureGroup] {
    FeatureGroup.allCases.filter { group in members.contains { $0.groups.contains(group) } }
  }

  /// What a transfer to another space uses: features whose meaning carries over.
  ///
  /// Chosen on transfers from NAS-Bench-201 to 101 and from multi-resolution to mobile networks.
  public static var transfer: NetworkAccuracyRecipe {
    var recipe = NetworkAccuracyRecipe()
    recipe.members = [Member(groups: [.size, .operators, .paths], trend: false)]
    return recipe
  }

  /// - Throws: `badRecipe` naming the key.
  public init(json: Data, name: String = "recipe") throws {
    func fail(_ what: String) -> PredictorsError {
      PredictorsError(.badRecipe, "\(name): \(what)")
    }
    self.init()
    let partial = try RecipeFile.decode(
      Partial.self, from: json, name: name,
      known: [
        "": ["predictor", "members", "choosing", "limit", "steps", "seed", "rankingShare"],
        "members": ["groups", "trend"],
      ])
    members = partial.members ?? members
    choosing = partial.choosing ?? choosing
    limit = partial.limit ?? limit
    steps = partial.steps ?? steps
    seed = partial.seed ?? seed
    rankingShare = partial.rankingShare ?? rankingShare
    guard partial.predictor == nil || partial.predictor == predictor else {
      throw fail("'predictor' is '\(partial.predictor ?? "")'; this one is 'networks'")
    }
    if let problem { throw fail(problem) }
    if groups.contains(.transfer) {
      throw fail(
        "'members' can't read 'transfer', which only predictors of other spaces give; there are "
          + FeatureGroup.own.map(\.rawValue).joined(separator: ", "))
    }
  }

  /// Whether a recipe's text asks for this kind of predictor.
  public static func isMeant(by json: Data) -> Bool {
    RecipeFile.text("predictor", in: json) == "networks"
  }

  private struct Partial: Codable {
    var predictor: String?
    var members: [Member]?
    var choosing: Int?
    var limit: Int?
    var steps: Int?
    var seed: UInt64?
    var rankingShare: Double?
  }

  var problem: String? {
    if members.isEmpty || members.contains(where: { $0.groups.isEmpty }) {
      return "'members' needs an entry with 'groups'"
    }
    if members.contains(where: { Set($0.groups).count != $0.groups.count }) {
      return "a group occurs twice in 'members'"
    }
    if !(10...1000).contains(choosing) { return "'choosing' is \(choosing); 10 to 1000 are meant" }
    if !(choosing...5000).contains(limit) { return "'limit' is \(limit); 'choosing' to 5000" }
    if !(1...1000).contains(steps) { return "'steps' is \(steps); 1 to 1000 are meant" }
    if !(0...1).contains(rankingShare) { return "'rankingShare' is \(rankingShare); 0 to 1" }
    return nil
  }
}
