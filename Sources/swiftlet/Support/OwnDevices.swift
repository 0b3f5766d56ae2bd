import Architectures
import Foundation
import Predictors
import Store
import Tensors

/// The devices that this project measured itself, in `datasets/*-samples.csv`.
enum OwnDevices {
  static func samples() throws -> [Sample] {
    guard let folder = SpaceCatalog.bundledFolder("datasets") else {
      throw Failure(
        .unavailable, "the folder 'datasets' that comes with the command is not there")
    }
    return try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
      .filter { $0.hasSuffix("-samples.csv") }
      .flatMap { try SampleFile.read("\(folder)/\($0)") }
  }

  /// Each device left out in turn, beside the devices of the bundled model's recipe.
  static func bench(data: String, seeds: Int, _ engine: Engine, _ common: CommonOptions) throws {
    guard let folder = SpaceCatalog.bundledFolder("checkpoints") else {
      throw Failure(
        .unavailable, "the folder 'checkpoints' that comes with the command is not there")
    }
    let recipe = try LatencyRecipe(contentsOf: "\(folder)/latency-fewshot.recipe.json")
    let find = { (name: String) in try SpaceCatalog.standard.space(name) }
    let held = HeldOutDevices(
      published: try recipe.datasets(folder: data, space: find, engine: engine).datasets,
      own: try LatencyDataset.datasets(of: try samples(), space: find, engine: engine),
      engine: engine)
    var bar = Progress("devices", quiet: common.quiet)
    let figures = try held.score(seeds: seeds) { bar.update($0, of: $1) }
    bar.finish()
    try BenchRow.write(
      figures.map {
        BenchRow(
          task: $0.task, metric: "\($0.method): \($0.metric)", samples: $0.samples,
          value: $0.value, spread: $0.spread)
      }, schema: "bench.latency", common)
  }
}
