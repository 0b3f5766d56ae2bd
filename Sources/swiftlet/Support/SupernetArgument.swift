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

  /// The part of the space that was trained.
  func choices() throws -> ChoiceSet { try ChoiceSet(space, trainedBy: recipe) }

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
  func data(_ folder: String, quiet: Bool = false) throws -> TrainingData {
    let collection = try ImageCollection(folder, skipsBroken: file.skipsBroken)
    guard collection.classNames == file.classNames else {
      throw Failure(
        .input,
        "\(folder): classes \(collection.classNames.joined(separator: ", ")); the supernet knows "
          + file.classNames.joined(separator: ", "))
    }
    let data = try TrainingData(
      collection, space, validation: recipe.validation, seed: recipe.seed,
      normalization: file.normalization, skipsBroken: file.skipsBroken)
    if let trained = file.images, trained != data.identity {
      Terminal.note(
        "\(folder): not the images that the supernet was trained on; it may have been trained on "
          + "some that are held out here", quiet: quiet)
    }
    return data
  }

  /// What the weights of a subnet are said to be.
  func provenance(_ statistics: String) -> String {
    "\(file.spaceName) supernet \(digest.prefix(12)), \(statistics)"
  }

  /// What feeding an exported subnet takes, as properties of its file: images resized so that the
  /// shorter side is `resize` (where that is given), their middle square of `crop` resized to the
  /// network's input; pixels scaled to 0...1 less the mean, over the deviation; outputs are these
  /// classes, one a line.
  var properties: [String: String] {
    func text(_ values: [Float]) -> String { values.map { "\($0)" }.joined(separator: ",") }
    var properties = [
      "swiftlet.mean": text(file.normalization.mean),
      "swiftlet.deviation": text(file.normalization.deviation),
      "swiftlet.classes": file.classNames.joined(separator: "\n"),
      "swiftlet.crop": String(file.side), "swiftlet.interpolation": "bilinear, antialiased",
    ]
    properties["swiftlet.resize"] = file.resize.map { String($0) }
    return properties
  }

  /// Gives a subnet's norms statistics of their own: from the training images where they are at
  /// hand, else from those that were made up for it, else none.
  /// - Returns: where they come from.
  func recalibrate(
    _ network: ExtractedNetwork, _ data: TrainingData?, engine: Engine
  ) throws -> String {
    if let data {
      let recalibrator = try Recalibrator(data, images: recipe.recalibration)
      try recalibrator(network, engine)
      return "statistics of \(recalibrator.count) training images"
    }
    guard let calibration = file.calibration else {
      return "statistics shared by all subnets"
    }
    try Recalibrator(calibration: calibration)(network, engine)
    return "statistics of \(calibration.shape[0]) made-up images"
  }
}
