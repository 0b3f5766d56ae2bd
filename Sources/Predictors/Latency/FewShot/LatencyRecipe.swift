import Foundation

/// How the bundled few-shot model was meta-trained: which tables, and which of their devices.
public struct LatencyRecipe: Codable, Equatable, Sendable {
  public static let kind = "few-shot latency"

  public struct Table: Codable, Equatable, Sendable {
    /// Path under the data folder.
    public var file: String
    public var space: String
    /// Devices to leave out: sums, duplicates, columns that are no latency.
    public var except: [String]?
    /// Names of devices that other tables call otherwise.
    public var rename: [String: String]?
  }

  public var kind: String
  public var seed: UInt64
  public var tables: [Table]

  /// Whether a recipe file is one of this kind.
  public static func describes(_ path: String) -> Bool {
    RecipeFile.text("kind", in: FileManager.default.contents(atPath: path) ?? Data()) == kind
  }

  /// - Throws: `badRecipe` naming the file and its mistake.
  public init(contentsOf path: String) throws {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw PredictorsError(.badRecipe, "\(path): no such file")
    }
    self = try RecipeFile.decode(
      LatencyRecipe.self, from: data, name: path,
      known: [
        "": ["kind", "seed", "tables"], "tables": ["file", "space", "except", "rename"],
      ])
    guard kind == Self.kind, !tables.isEmpty else {
      throw PredictorsError(
        .badRecipe, "\(path): a recipe of kind '\(Self.kind)' with tables is meant")
    }
  }
}
