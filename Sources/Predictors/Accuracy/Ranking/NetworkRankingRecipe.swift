public import Foundation

/// How the model that ranks networks of any space is trained; kept as JSON, with unknown keys
/// refused.
public struct NetworkRankingRecipe: Codable, Equatable, Sendable {
  public static let kind = "ranking"

  /// A table of accuracies.
  public struct Table: Codable, Equatable, Sendable {
    public var name: String
    /// Path under the data folder.
    public var file: String
    public var format: AccuracyTable.Format
    /// Column of the accuracy.
    public var target: String
  }

  public var predictor = kind
  public var tables: [Table] = []
  public var groups: [FeatureGroup] = [.size, .operators, .paths]
  /// Networks of a table that are learned from, at most.
  public var limit = 2000
  public var inducing = 256
  /// Samples that choose the kernel's parameters, and steps of the choice.
  public var choosing = 400
  public var steps = 100
  public var seed: UInt64 = 1

  public init() {}

  /// - Throws: `badRecipe` naming the file and the key.
  public init(json: Data, name: String = "recipe") throws {
    self = try RecipeFile.decode(
      Self.self, from: json, name: name,
      known: [
        "": ["predictor", "tables", "groups", "limit", "inducing", "choosing", "steps", "seed"],
        "tables": ["name", "file", "format", "target"],
      ])
    if let problem { throw PredictorsError(.badRecipe, "\(name): \(problem)") }
  }

  /// Whether a recipe's text asks for this kind of model.
  public static func isMeant(by json: Data) -> Bool {
    RecipeFile.text("predictor", in: json) == kind
  }

  var problem: String? {
    if predictor != Self.kind { return "'predictor' is '\(predictor)'; '\(Self.kind)' is meant" }
    if groups.isEmpty || Set(groups).count != groups.count || groups.contains(.transfer) {
      return "'groups' needs different ones of "
        + FeatureGroup.own.map(\.rawValue).joined(separator: ", ")
    }
    if !(10...1000).contains(choosing) { return "'choosing' is \(choosing); 10 to 1000 are meant" }
    if !(8...2000).contains(inducing) { return "'inducing' is \(inducing); 8 to 2000 are meant" }
    if !(10...20_000).contains(limit) { return "'limit' is \(limit); 10 to 20000 are meant" }
    if !(1...1000).contains(steps) { return "'steps' is \(steps); 1 to 1000 are meant" }
    return nil
  }
}
