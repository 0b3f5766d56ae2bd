import Architectures
import Networks
import Predictors
import Supernets
import Tensors

/// A supernet with its weights, as a user names it: the file that `supernet train` wrote.
struct SupernetArgument {
  let file: SupernetFile
  let supernet: Supernet
  let recipe: TrainingRecipe
  /// SHA-256 of the weights: whatever else the file holds (made-up images, say) may change.
  let digest: String

  var space: SearchSpace { supernet.space }

  init(_ path: String) throws {
    file = try SupernetFile(contentsOf: path)
    recipe = try TrainingRecipe(yaml: file.provenance["recipe"] ?? "", file: "\(path), its recipe")
    let space = try SpaceCatalog.standard.space(file.spaceName)
      .withClasses(file.classNames.count)
    var random = RandomStream(seed: 0)
    supernet = try Supernet(space, random: &random)
    try file.load(into: supernet)
    digest = Self.digest(of: try supernet.state())
  }

  static func digest(of weights: [String: Tensor]) -> String {
    var bytes: [UInt8] = []
    for (name, tensor) in weights.sorted(by: { $0.key < $1.key }) {
      bytes += name.utf8
      for value in tensor.array {
        let bits = value.bitPattern
        for shift: UInt32 in [0, 8, 16, 24] {
          bytes.append(UInt8(truncatingIfNeeded: bits >> shift))
        }
      }
    }
    return SHA256.hex(bytes)
  }

  /// The images it is judged on, divided as they were in training.
  func data(_ folder: String, skipsBroken: Bool = false) throws -> TrainingData {
    let collection = try ImageCollection(folder, skipsBroken: skipsBroken)
    guard collection.classNames == file.classNames else {
      throw Failure(
        .input,
        "\(folder): classes \(collection.classNames.joined(separator: ", ")); the supernet knows "
          + file.classNames.joined(separator: ", "))
    }
    return try TrainingData(
      collection, resolution: space.resolution(space.largestGenotype),
      validation: recipe.validation, seed: recipe.seed, skipsBroken: skipsBroken)
  }
  /// What the weights of a subnet are said to be.
  func provenance(_ statistics: String) -> String {
    "\(file.spaceName) supernet \(digest.prefix(12)), \(statistics)"
  }

  /// Gives a subnet's norms statistics of their own: from the training images where they are at
  /// hand, else from those that were made up for it, else none.
  /// - Returns: where they come from.
  func recalibrate(
    _ network: ExtractedNetwork, _ data: TrainingData?, engine: Engine
  ) throws -> String {
    if let data {
      try Recalibrator(data, images: recipe.recalibration)(network, engine)
      return "statistics of \(recipe.recalibration) training images"
    }
    guard let calibration = file.calibration else {
      return "statistics shared by all subnets"
    }
    try Recalibrator(calibration: calibration)(network, engine)
    return "statistics of \(calibration.shape[0]) made-up images"
  }
}
