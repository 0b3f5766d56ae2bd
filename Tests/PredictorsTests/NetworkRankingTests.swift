import Architectures
import Foundation
import Testing

@testable import Predictors

struct NetworkRankingTests {
  private static let longest = ArchitectureEncoding.names.firstIndex(of: "longest convolutions")!

  /// Networks of a space in which a longer way through convolutions is better.
  private static func table(_ name: String) throws -> NetworkRankingModel.Table {
    let space = try catalog.space(name)
    let encodings = try SpaceEncoder(space).encodings(space.population(150, seed: 9))
    return .init(
      name: name, features: NetworkFeatures(encodings),
      accuracies: encodings.map { log1p($0.values[longest]) }, digest: "-")
  }

  private static let model: NetworkRankingModel = {
    var recipe = NetworkRankingRecipe()
    (recipe.limit, recipe.inducing, recipe.choosing, recipe.steps) = (150, 24, 100, 20)
    return try! NetworkRankingModel(
      fitting: [table("nasbench201"), table("ofa-mobilenetv3")], recipe: recipe)
  }()

  /// In a space that nothing was learned from, the same law is found.
  @Test func anotherSpaceIsRanked() throws {
    let space = try catalog.space("ofa-resnet50")
    let scorer = try NetworkRankingScorer(Self.model, space: space)
    let drawn = genotypes(80, of: space, seed: 4)
    let predictions = try scorer.predict(drawn)
    let truth = try drawn.map { try SpaceEncoder(space).encode($0).values[Self.longest] }
    #expect(RankStatistics.spearman(predictions.map(\.score), truth) > 0.5)
    for prediction in predictions {
      let interval = prediction.interval(confidence: 0.9)
      #expect(interval.contains(prediction.rank) && prediction.deviation > 0)
      #expect(interval.lowerBound > 0 && interval.upperBound < 1)
    }
    // A score does not depend on the others that are asked for.
    let alone = try drawn.prefix(5).map { try scorer.scores([$0])[0] }
    #expect(try alone == Array(scorer.scores(drawn)[..<5]))
  }

  @Test func theFileHoldsTheModelAndNoAccuracies() throws {
    let path = FileManager.default.temporaryDirectory
      .appendingPathComponent("ranking-\(UUID().uuidString).safetensors").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Self.model.write(to: path)
    #expect(try PredictorKind(ofFile: path) == .networkRanking)
    let read = try NetworkRankingModel(contentsOf: path)
    let space = try catalog.space("nasbench201")
    let drawn = genotypes(40, of: space)
    #expect(
      try NetworkRankingScorer(read, space: space).predict(drawn)
        == NetworkRankingScorer(Self.model, space: space).predict(drawn))
    // A few dozen weights stand for 300 accuracies.
    #expect(read.process.weights.count == 24)
    #expect(read.provenance.tables.map(\.name) == ["nasbench201", "ofa-mobilenetv3"])
    try Data("short".utf8).write(to: URL(fileURLWithPath: path))
    #expect(throws: PredictorsError.self) { try NetworkRankingModel(contentsOf: path) }
  }

  /// With as many inducing points as samples, the sparse process is the whole one.
  @Test func sparseProcessApproachesTheWholeOne() throws {
    let (points, targets) = GaussianProcessTests.problem(60)
    let kernel = GroupedKernel(groups: 2, hasTrend: false)
    let whole = try GaussianProcess(kernel, points[0..<40], targets: Array(targets[..<40]))
    let sparse = try SparseGaussianProcess(
      kernel, inducing: points[0..<40], points[0..<40], targets: Array(targets[..<40]))
    let others = points[40..<60]
    for (a, b) in zip(
      try whole.predict(others, withVariances: true), try sparse.predict(others))
    {
      // Kernels are float32 products, and the points' covariance has some jitter.
      #expect(abs(a.mean - b.mean) < 2e-2)
      #expect(abs(a.variance - b.variance) < 2e-2)
    }
  }

  @Test func recipes() throws {
    let bundled = try Data(
      contentsOf: URL(fileURLWithPath: "checkpoints/networks-ranking.recipe.json"))
    #expect(NetworkRankingRecipe.isMeant(by: bundled))
    #expect(try NetworkRankingRecipe(json: bundled).tables.count == 5)
    let text = String(decoding: bundled, as: UTF8.self)
    for (json, message) in [
      (text.replacing("\"seed\"", with: "\"sed\""), "r: unknown key 'sed'"),
      (text.replacing("\"target\"", with: "\"goal\""), "r: unknown key 'goal' in 'tables'"),
      (text.replacing("256", with: "2"), "r: 'inducing' is 2"),
      (text.replacing("\"paths\"", with: "\"transfer\""), "r: 'groups' needs"),
      (#"{"predictor": "ranking"}"#, "r: key 'tables' is missing"),
    ] {
      let error = #expect(throws: PredictorsError.self) {
        try NetworkRankingRecipe(json: Data(json.utf8), name: "r")
      }
      #expect(error?.message.hasPrefix(message) == true, "\(error?.message ?? "")")
    }
  }
}
