internal import Foundation
internal import Tensors

/// What a network accuracy predictor's file says beside its points.
public struct NetworkAccuracyProvenance: Codable, Equatable, Sendable {
  /// Name and SHA-256 of the samples.
  public var data: String
  public var digest: String?
  /// UTC, ISO 8601.
  public var date: String?

  public init(data: String, digest: String? = nil, date: String? = nil) {
    self.data = data
    self.digest = digest
    self.date = date
  }
}

extension NetworkAccuracyPredictor {
  static let format = "swiftlet.network-accuracy"

  private struct Description: Codable {
    var recipe: NetworkAccuracyRecipe
    var scale: FeatureScale
    var scores: NormalScores
    var kernels: [GroupedKernel]
    var targets: [Double]
    var disconnected: [Double]
    var provenance: NetworkAccuracyProvenance
  }

  /// Whether a file holds a predictor of this kind.
  public static func isPredictor(_ path: String) -> Bool {
    (try? SafeTensors(contentsOf: path))?.metadata["format"] == format
  }

  /// Writes the samples' features, what was learned of them, and where they come from.
  /// - Throws: `failed` naming the file.
  public func write(to path: String, provenance: NetworkAccuracyProvenance) throws {
    let description = Description(
      recipe: recipe, scale: scale, scores: scores, kernels: members.map(\.kernel),
      targets: targets, disconnected: [disconnected.lowerBound, disconnected.upperBound],
      provenance: provenance)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    do {
      var file = SafeTensors(metadata: ["format": Self.format, "version": "1"])
      file.metadata["description"] = String(
        decoding: try encoder.encode(description), as: UTF8.self)
      for (description, member) in zip(recipe.members, members) {
        file.tensors[Self.key(description)] = try Tensor(
          member.points.values, shape: [member.points.count, member.points.width])
      }
      try file.write(to: path)
    } catch let error as TensorError {
      throw PredictorsError(.failed, error.message)
    } catch {
      throw PredictorsError(.failed, "\(path): cannot be written (\(error))")
    }
  }

  /// Reads a predictor that was written.
  /// - Throws: `badPredictor` naming the file and what is wrong with it.
  public init(contentsOf path: String) throws {
    func fail(_ what: String) -> PredictorsError {
      PredictorsError(.badPredictor, "\(path): \(what)")
    }
    let file: SafeTensors
    let description: Description
    do {
      file = try SafeTensors(contentsOf: path)
      guard file.metadata["format"] == Self.format, file.metadata["version"] == "1" else {
        throw fail("no network accuracy predictor of version 1")
      }
      description = try JSONDecoder().decode(
        Description.self, from: Data((file.metadata["description"] ?? "").utf8))
    } catch let error as TensorError {
      throw PredictorsError(.badPredictor, error.message)
    } catch let error as DecodingError {
      throw fail("its description can't be read: \(error)")
    }
    let width = NetworkFeatures.width
    guard description.recipe.problem == nil, description.scale.means.count == width,
      description.scale.spreads.count == width,
      description.kernels.count == description.recipe.members.count,
      description.disconnected.count == 2,
      description.disconnected[0] <= description.disconnected[1],
      description.targets.count >= 8, description.scores.isSound
    else { throw fail("it was written by another version, or is damaged; train it again") }
    let members = try zip(description.recipe.members, description.kernels).map { member, kernel in
      let groups = description.scale.ranges(of: member.groups)
      guard let points = file.tensors[Self.key(member)],
        points.shape == [description.targets.count, groups.last?.upperBound ?? 0],
        kernel.scales.count == groups.count, kernel.trends.count == groups.count,
        points.array.allSatisfy(\.isFinite)
      else { throw fail("the points of a member are missing or damaged") }
      return try GaussianProcess(
        kernel, GroupedFeatures(points.array, count: description.targets.count, groups: groups),
        targets: description.targets)
    }
    self.init(
      recipe: description.recipe, scale: description.scale, scores: description.scores,
      members: members, targets: description.targets, disconnected: description.disconnected)
  }

  /// Members on the same features share their points.
  private static func key(_ member: NetworkAccuracyRecipe.Member) -> String {
    "points." + member.groups.map(\.rawValue).joined(separator: "-")
  }
}
