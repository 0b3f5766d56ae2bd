public import Architectures
internal import Foundation

extension NetworkRankingModel {
  /// Trains by a recipe on tables under `folder`.
  /// - Throws: `badRecipe`, `badSamples` naming the file.
  public static func train(
    _ recipe: NetworkRankingRecipe, folder: String, catalog: SpaceCatalog = .standard,
    date: String? = nil, progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
  ) throws -> NetworkRankingModel {
    let encoder = ArchitectureEncoder()
    let tables = try recipe.tables.map { table in
      let path = "\(folder)/\(table.file)"
      let text = try DataFile.text(path)
      let read = try AccuracyTable(
        parsing: text, file: path, format: table.format, target: table.target, name: table.name,
        catalog: catalog, encoder: encoder)
      return Table(
        name: table.name, features: read.features, accuracies: read.accuracies,
        digest: SHA256.hex(Data(text.utf8)))
    }
    return try NetworkRankingModel(
      fitting: tables, recipe: recipe, date: date, progress: progress)
  }
}
