public import Architectures
import Foundation
public import Tensors

extension FewShotModel {
  /// Meta-trains by a recipe on tables under `folder`.
  /// - Throws: `badRecipe`, `badSamples` naming the file.
  public static func train(
    _ recipe: LatencyRecipe, folder: String, space: (String) throws -> SearchSpace,
    engine: Engine? = nil, progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
  ) throws -> FewShotModel {
    let (datasets, sources) = try recipe.datasets(folder: folder, space: space, engine: engine)
    return try train(
      on: datasets, seed: recipe.seed,
      provenance: "meta-trained with seed \(recipe.seed) on " + sources.joined(separator: ", "),
      progress: progress)
  }
}

extension LatencyRecipe {
  /// The tables, without the devices that the recipe leaves out, and what each of them is.
  /// - Throws: `badRecipe`, `badSamples` naming the file.
  public func datasets(
    folder: String, space: (String) throws -> SearchSpace, engine: Engine? = nil
  ) throws -> (datasets: [LatencyDataset], sources: [String]) {
    var encoders: [String: SpaceEncoder] = [:]
    var datasets: [LatencyDataset] = []
    var sources: [String] = []
    for table in tables {
      let encoder = try encoders[table.space] ?? SpaceEncoder(space(table.space))
      encoders[table.space] = encoder
      let path = "\(folder)/\(table.file)"
      var dataset = try LatencyDataset(
        contentsOf: path, space: encoder.space, encoder: encoder, engine: engine)
      for name in table.except ?? [] {
        guard dataset.latencies.removeValue(forKey: name) != nil else {
          throw PredictorsError(.badRecipe, "\(path) has no device '\(name)' to leave out")
        }
      }
      for (old, new) in (table.rename ?? [:]).sorted(by: { $0.key < $1.key }) {
        guard dataset.latencies[new] == nil else {
          throw PredictorsError(
            .badRecipe, "\(path) has a device '\(new)', which '\(old)' can't be renamed to")
        }
        guard let values = dataset.latencies.removeValue(forKey: old) else {
          throw PredictorsError(.badRecipe, "\(path) has no device '\(old)' to rename")
        }
        dataset.latencies[new] = values
      }
      datasets.append(dataset)
      sources.append(
        "\(table.file) (\(dataset.genotypes.count) networks of \(table.space), "
          + "\(dataset.devices.count) devices, sha256 "
          + SHA256.hex(Data(try DataFile.text(path).utf8)).prefix(16) + ")")
    }
    return (datasets, sources)
  }
}
