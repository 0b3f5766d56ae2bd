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
    var ranking: Ranking?
    var provenance: NetworkAccuracyProvenance
  }

  /// What files say of the perceptrons beside their weights.
  private struct Ranking: Codable {
    var widths: [Int]
    var centres: [Double]
    var deviations: [Double]
    var leftOut: [Double]
  }

  /// Writes the samples' features, what was learned of them, and where they come from.
  /// - Throws: `failed` naming the file.
  public func write(to path: String, provenance: NetworkAccuracyProvenance) throws {
    let description = Description(
      recipe: recipe, scale: scale, scores: scores, kernels: members.map(\.kernel),
      targets: targets, disconnected: [disconnected.lowerBound, disconnected.upperBound],
      ranking: ranking.map { ranking in
        Ranking(
          widths: ranking.members[0].network.widths, centres: ranking.members.map(\.centre),
          deviations: ranking.members.map(\.deviation), leftOut: ranking.leftOut)
      }, provenance: provenance)
    var file = SafeTensors(metadata: ["description": try PredictorFile.encode(description)])
    for (description, member) in zip(recipe.members, members) {
      file.tensors[Self.key(description)] = try Tensor(
        member.points.values, shape: [member.points.count, member.points.width])
    }
    for (number, member) in (ranking?.members ?? []).enumerated() {
      file.tensors.merge(try member.network.tensors("ranking.\(number)")) { $1 }
    }
    try PredictorFile.write(file, format: Self.format, to: path)
  }

  /// Reads a predictor that was written.
  /// - Throws: `badPredictor` naming the file and what is wrong with it.
  public init(contentsOf path: String) throws {
    let file = try PredictorFile(
      contentsOf: path, format: Self.format, what: "accuracy predictor of networks")
    let description: Description = try file.decode("description")
    let width = NetworkFeatures.width
    guard description.recipe.problem == nil, description.scale.means.count == width,
      description.scale.spreads.count == width,
      description.kernels.count == description.recipe.members.count,
      description.disconnected.count == 2,
      description.disconnected[0] <= description.disconnected[1],
      description.targets.count >= 8, description.scores.isSound
    else { throw file.failure("it was written by another version, or is damaged; train it again") }
    let members = try zip(description.recipe.members, description.kernels).map { member, kernel in
      let groups = description.scale.ranges(of: member.groups)
      guard let points = file.content.tensors[Self.key(member)],
        points.shape == [description.targets.count, groups.last?.upperBound ?? 0],
        kernel.scales.count == groups.count, kernel.trends.count == groups.count,
        points.array.allSatisfy(\.isFinite)
      else { throw file.failure("the points of a member are missing or damaged") }
      return try GaussianProcess(
        kernel, GroupedFeatures(points.array, count: description.targets.count, groups: groups),
        targets: description.targets)
    }
    self.init(
      recipe: description.recipe, scale: description.scale, scores: description.scores,
      members: members,
      ranking: try description.ranking.map { try Self.ranking($0, description, file) },
      targets: description.targets, disconnected: description.disconnected)
  }

  private static func ranking(
    _ ranking: Ranking, _ description: Description, _ file: PredictorFile
  ) throws -> RankingEnsemble {
    let inputs = description.scale.ranges(of: description.recipe.groups).last?.upperBound ?? 0
    let members = zip(ranking.centres, ranking.deviations).enumerated().compactMap {
      number, numbers in
      DensePerceptron(file.content.tensors, "ranking.\(number)", widths: ranking.widths).map {
        RankingEnsemble.Member(network: $0, centre: numbers.0, deviation: numbers.1)
      }
    }
    guard ranking.widths.count > 2, ranking.widths.first == inputs, ranking.widths.last == 1,
      !members.isEmpty, members.count == ranking.centres.count,
      members.count == ranking.deviations.count, members.allSatisfy({ $0.deviation > 0 }),
      ranking.leftOut.count == description.targets.count
    else { throw file.failure("its perceptrons are missing or damaged") }
    return RankingEnsemble(members: members, leftOut: ranking.leftOut)
  }

  /// Members on the same features share their points.
  private static func key(_ member: NetworkAccuracyRecipe.Member) -> String {
    "points." + member.groups.map(\.rawValue).joined(separator: "-")
  }
}
