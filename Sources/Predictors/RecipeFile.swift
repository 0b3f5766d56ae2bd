internal import Architectures
internal import Foundation

/// What recipes of all kinds have in common: JSON objects that say what they are for, in which a key
/// that nothing reads is a mistake.
enum RecipeFile {
  /// The text under a key of the recipe; `nil` where it has none, or is no recipe.
  static func text(_ key: String, in json: Data) -> String? {
    (try? JSONSerialization.jsonObject(with: json) as? [String: Any])?[key] as? String
  }

  /// - Parameter known: as in `check`.
  /// - Throws: `badRecipe` naming the recipe and the key.
  static func decode<Recipe: Decodable>(
    _ type: Recipe.Type, from json: Data, name: String, known: [String: [String]]
  ) throws -> Recipe {
    try check(json, name: name, known: known)
    do {
      return try JSONDecoder().decode(type, from: json)
    } catch let error as DecodingError {
      throw PredictorsError(
        .badRecipe, "\(name): \(error.fullProblem(decoding: type, from: json))")
    }
  }

  /// - Parameter known: keys by the path of the object that they are in: `tables` for each object in
  ///   that list, nothing for the recipe itself. Objects that have no entry may have any.
  /// - Throws: `badRecipe` naming the recipe and the key.
  private static func check(_ json: Data, name: String, known: [String: [String]]) throws {
    guard let recipe = try? JSONSerialization.jsonObject(with: json) as? [String: Any] else {
      throw PredictorsError(.badRecipe, "\(name): no JSON object")
    }
    try check(recipe, at: "", name: name, known: known)
  }

  private static func check(
    _ value: Any, at path: String, name: String, known: [String: [String]]
  ) throws {
    for element in value as? [Any] ?? [] {
      try check(element, at: path, name: name, known: known)
    }
    guard let object = value as? [String: Any] else { return }
    if let known = known[path], let key = object.keys.filter({ !known.contains($0) }).min() {
      throw PredictorsError(
        .badRecipe,
        "\(name): unknown key '\(key)'" + (path.isEmpty ? "" : " in '\(path)'")
          + "; known: \(known.sorted().joined(separator: ", "))")
    }
    for (key, value) in object.sorted(by: { $0.key < $1.key }) {
      try check(value, at: path.isEmpty ? key : "\(path).\(key)", name: name, known: known)
    }
  }
}
