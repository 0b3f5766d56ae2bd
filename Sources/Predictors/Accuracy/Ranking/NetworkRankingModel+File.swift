internal import Foundation
internal import Tensors

extension NetworkRankingModel {
  static let format = "swiftlet.network-ranking"
  private static let what = "model that ranks networks"

  private struct Description: Codable {
    var recipe: NetworkRankingRecipe
    var provenance: Provenance
    var kernel: GroupedKernel
    var calibration: Double
    /// Names of the features, which say what the columns mean.
    var features: String
  }

  /// Writes the model; equal models give equal bytes.
  /// - Throws: `failed` naming the file.
  public func write(to path: String) throws {
    let description = Description(
      recipe: recipe, provenance: provenance, kernel: process.kernel, calibration: calibration,
      features: Self.featuresDigest)
    let count = process.points.count
    let file = SafeTensors(
      tensors: [
        "means": try Tensor(scale.means.map(Float.init), shape: [scale.means.count]),
        "spreads": try Tensor(scale.spreads.map(Float.init), shape: [scale.spreads.count]),
        "kept": try Tensor(isKept.map { $0 ? 1 : 0 }, shape: [isKept.count]),
        "points": try Tensor(process.points.values, shape: [count, process.points.width]),
        "weights": try Tensor(process.weights.map(Float.init), shape: [count]),
        "precision": try Tensor(process.precision.map(Float.init), shape: [count, count]),
      ],
      metadata: ["description": try PredictorFile.encode(description)])
    try PredictorFile.write(file, format: Self.format, to: path)
  }

  /// - Throws: `badPredictor` naming the file and what is wrong with it.
  public init(contentsOf path: String) throws {
    let file = try PredictorFile(contentsOf: path, format: Self.format, what: Self.what)
    let description: Description = try file.decode("description")
    guard description.features == Self.featuresDigest else {
      throw file.failure(
        "it was trained for another encoding of networks; train it again with 'swiftlet predictor "
          + "train --recipe'")
    }
    func values(_ name: String, _ shape: [Int]) throws -> [Float] {
      guard let tensor = file.content.tensors[name], tensor.shape == shape,
        tensor.array.allSatisfy(\.isFinite)
      else { throw file.failure("its '\(name)' are missing or damaged") }
      return tensor.array
    }
    let (recipe, width) = (description.recipe, NetworkFeatures.width)
    guard recipe.problem == nil, description.kernel.scales.count == recipe.groups.count,
      description.kernel.trends.count == recipe.groups.count,
      let count = file.content.tensors["points"]?.shape.first, count > 0
    else { throw file.failure("it was written by another version, or is damaged") }
    var scale = FeatureScale(NetworkFeatures([]), rows: [])
    scale.means = try values("means", [width]).map(Double.init)
    scale.spreads = try values("spreads", [width]).map(Double.init)
    let isKept = try values("kept", [width]).map { $0 > 0 }
    let ranges = scale.keeping(isKept).ranges(of: recipe.groups)
    let points = GroupedFeatures(
      try values("points", [count, ranges.last?.upperBound ?? 0]), count: count, groups: ranges)
    self.init(
      recipe: recipe, provenance: description.provenance, scale: scale, isKept: isKept,
      process: try SparseGaussianProcess(
        description.kernel, points, weights: try values("weights", [count]).map(Double.init),
        precision: try values("precision", [count, count]).map(Double.init)),
      calibration: description.calibration)
  }

  private static let featuresDigest = SHA256.hex(
    (FeatureGroup.own.map { "\($0) \(NetworkFeatures.columns[$0]!)" }
      + ArchitectureEncoding.names).joined(separator: "\n").utf8)
}
