import Architectures
import Foundation
import Testing

@testable import Predictors

@Suite struct NetworkAccuracyTests {
  /// Cells whose "accuracy" follows from convolutions on the longest way and shortcuts.
  static let cells: (encodings: [ArchitectureEncoding], accuracies: [Double]) = {
    let space = try! catalog.space("nasbench201")
    let encodings = try! genotypes(260, of: space, seed: 5).map {
      try SpaceEncoder(space).encode($0)
    }
    let names = ArchitectureEncoding.names
    let (longest, ways) = (
      names.firstIndex(of: "longest convolutions")!, names.firstIndex(of: "log ways 0")!
    )
    let accuracies = encodings.map { encoding -> Double in
      guard encoding.total(0) > 0 else { return 10 }
      return 60 + 10 * Foundation.log1p(encoding.values[longest]) - 0.3 * encoding.values[ways]
    }
    return (encodings, accuracies)
  }()

  static func recipe() -> NetworkAccuracyRecipe {
    var recipe = NetworkAccuracyRecipe()
    recipe.steps = 30
    return recipe
  }

  @Test func learnsAndPromisesWhatItHolds() throws {
    let (encodings, accuracies) = Self.cells
    let predictor = try NetworkAccuracyPredictor(
      Array(encodings[..<80]), accuracies: Array(accuracies[..<80]), recipe: Self.recipe())
    let predictions = try predictor.predict(Array(encodings[80...]))
    let measured = Array(accuracies[80...])
    #expect(RankStatistics(predictions.map(\.score), measured).kendall > 0.85)
    #expect(abs(predictor.weights.reduce(0, +) - 1) < 1e-9)
    let held = zip(predictions, measured).count {
      predictor.interval($0, confidence: 0.9).contains($1)
    }
    // A binomial of 180 draws lies within .9 -+ .1 with four standard deviations to spare.
    #expect(Double(held) / 180 > 0.8)
    let wide = predictor.interval(predictions[0], confidence: 0.99)
    let narrow = predictor.interval(predictions[0], confidence: 0.5)
    #expect(wide.lowerBound <= narrow.lowerBound && narrow.upperBound <= wide.upperBound)
    // Networks that ignore their input are last.
    let dead = encodings[80...].map { $0.total(0) == 0 }
    let best = zip(predictions, dead).filter(\.1).map(\.0.score).max()
    let worst = zip(predictions, dead).filter { !$0.1 }.map(\.0.score).min()
    if let best, let worst { #expect(best < worst) }
  }

  @Test func fileGivesTheSamePredictions() throws {
    let (encodings, accuracies) = Self.cells
    let path = FileManager.default.temporaryDirectory
      .appendingPathComponent("accuracy-\(UUID().uuidString).safetensors").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    let predictor = try NetworkAccuracyPredictor(
      Array(encodings[..<40]), accuracies: Array(accuracies[..<40]), recipe: Self.recipe())
    try predictor.write(to: path, provenance: .init(data: "test"))
    #expect(try PredictorKind(ofFile: path) == .networkAccuracy)
    let read = try NetworkAccuracyPredictor(contentsOf: path)
    let some = Array(encodings[40..<60])
    #expect(try read.predict(some) == predictor.predict(some))
    #expect(read.leaveOneOut == predictor.leaveOneOut)
    // The same samples again give the same bytes.
    let bytes = FileManager.default.contents(atPath: path)
    let again = try NetworkAccuracyPredictor(
      Array(encodings[..<40]), accuracies: Array(accuracies[..<40]), recipe: Self.recipe())
    try again.write(to: path, provenance: .init(data: "test"))
    #expect(bytes != nil && FileManager.default.contents(atPath: path) == bytes)
    try Data("short".utf8).write(to: URL(fileURLWithPath: path))
    #expect(throws: PredictorsError.self) { try NetworkAccuracyPredictor(contentsOf: path) }
  }

  /// Nothing was learned of networks that ignore their input but that they are no better.
  @Test func disconnectedNetworksWithoutSamples() throws {
    let (encodings, accuracies) = Self.cells
    let rows = Array(encodings.indices.filter { encodings[$0].total(0) > 0 }.prefix(40))
    let predictor = try NetworkAccuracyPredictor(
      rows.map { encodings[$0] }, accuracies: rows.map { accuracies[$0] }, recipe: Self.recipe())
    let space = try catalog.space("nasbench201")
    let genotype = try space.genotype(id: "none-none_none-none_none_none")
    let dead = try predictor.predict([SpaceEncoder(space).encode(genotype)])[0]
    #expect(predictor.interval(dead, confidence: 0.9) == 0...predictor.seen.lowerBound)
    #expect(dead.accuracy == predictor.seen.lowerBound / 2)
    #expect(try NetworkAccuracyScorer(predictor, space: space).isExtrapolated(genotype))
  }

  @Test func transfersBetweenSpaces() throws {
    let space = try catalog.space("ofa-mobilenetv3")
    let mobile = try genotypes(60, of: space, seed: 2).map { try SpaceEncoder(space).encode($0) }
    let (encodings, accuracies) = Self.cells
    // In the target, the same law holds that the source shows.
    let longest = ArchitectureEncoding.names.firstIndex(of: "longest convolutions")!
    let measured = mobile.map { Foundation.log1p($0.values[longest]) }
    var recipe = NetworkAccuracyRecipe.transfer
    recipe.steps = 30
    let predictor = try NetworkAccuracyPredictor(
      transferring: [(encodings, accuracies)], to: mobile, recipe: recipe)
    let predicted = try predictor.predict(mobile).map(\.score)
    #expect(RankStatistics(predicted, measured).spearman > 0.5)
  }

  @Test func badSamples() throws {
    let (encodings, accuracies) = Self.cells
    func message(_ count: Int, _ values: [Double]) -> String? {
      #expect(throws: PredictorsError.self) {
        try NetworkAccuracyPredictor(Array(encodings[..<count]), accuracies: values)
      }?.message
    }
    #expect(message(5, Array(accuracies[..<5]))?.contains("8 are needed") == true)
    #expect(message(30, Array(repeating: 0.5, count: 30))?.contains("nothing to learn") == true)
    #expect(message(30, Array(repeating: .nan, count: 30))?.contains("no accuracy") == true)
  }

  @Test func recipes() throws {
    let bundled = try Data(
      contentsOf: URL(fileURLWithPath: "checkpoints/networks-accuracy.recipe.json"))
    #expect(NetworkAccuracyRecipe.isMeant(by: bundled))
    #expect(try NetworkAccuracyRecipe(json: bundled) == NetworkAccuracyRecipe())
    // With a mistake elsewhere, too, which is then named.
    #expect(NetworkAccuracyRecipe.isMeant(by: Data(#"{"predictor": "networks", "seed": ""}"#.utf8)))
    for (json, message) in [
      (#"{"predictor": "networks", "speed": 3}"#, "r: unknown key 'speed'"),
      (#"{"predictor": "networks", "choosing": 3}"#, "r: 'choosing' is 3"),
      (#"{"predictor": "networks", "members": []}"#, "r: 'members' needs"),
      (#"{"predictor": "other"}"#, "r: 'predictor' is 'other'"),
      (#"{"members": [{"groups": ["size"], "trnd": true}]}"#, "r: unknown key 'trnd' in 'members'"),
      (#"{"rankingShare": 0.5, "seed": -1}"#, "r: key 'seed' must not be negative: -1"),
      (
        #"{"members": [{"groups": ["sizee"], "trend": false}]}"#,
        "r: key 'members.0.groups.0': no group 'sizee'; there are size, operators"
      ),
      (#"{"members": [{"groups": ["transfer"], "trend": false}]}"#, "r: 'members' can't read 'tr"),
    ] {
      let error = #expect(throws: PredictorsError.self) {
        try NetworkAccuracyRecipe(json: Data(json.utf8), name: "r")
      }
      #expect(error?.message.hasPrefix(message) == true, "\(error?.message ?? "")")
    }
  }

  /// Rank and value are each other's inverse, and go on beyond the samples.
  @Test func normalScores() {
    let scores = NormalScores([3, 1, 2, 2, 5])
    for value in [1, 2, 2.5, 3, 5] {
      #expect(abs(scores.value(scores.score(value)) - value) < 1e-9)
    }
    #expect(scores.value(3) > 5 && scores.value(-3) < 1)
    #expect(abs(NormalScores.quantile(0.975) - 1.959964) < 1e-5)
  }
}

extension NetworkAccuracyTests {
  /// What a search asks for does not depend on the other networks of a batch, and is no per cent.
  @Test func scoresOfASpace() throws {
    let (encodings, accuracies) = Self.cells
    let space = try catalog.space("nasbench201")
    let scorer = NetworkAccuracyScorer(
      try NetworkAccuracyPredictor(
        Array(encodings[..<60]), accuracies: Array(accuracies[..<60]), recipe: Self.recipe()),
      space: space)
    let drawn = genotypes(40, of: space, seed: 8)
    let scores = try scorer.scores(drawn)
    #expect(try drawn.map { try scorer.scores([$0])[0] } == scores)
    #expect(scores.allSatisfy { (0...1).contains($0) })
    let predicted = try scorer.predictor.predict(
      drawn.map { ArchitectureEncoder().encode(try space.graph($0)) })
    #expect(zip(scores, predicted).allSatisfy { abs($0 - $1.accuracy / 100) < 1e-6 })
  }
}

extension NetworkAccuracyTests {
  /// Perceptrons that learn to rank join where the space is known; a file holds them.
  @Test func ranksWithAPopulation() throws {
    let (encodings, accuracies) = Self.cells
    let predictor = try NetworkAccuracyPredictor(
      Array(encodings[..<60]), accuracies: Array(accuracies[..<60]), population: encodings,
      recipe: Self.recipe())
    let ranking = try #require(predictor.ranking)
    #expect(ranking.members.count == 8)
    let others = Array(encodings[60...])
    let predictions = try predictor.predict(others)
    let measured = Array(accuracies[60...])
    #expect(RankStatistics(predictions.map(\.score), measured).kendall > 0.8)
    // By themselves, too: they are more than noise beside the processes.
    let features = NetworkFeatures(others)
    let points = predictor.scale.apply(
      features, rows: features.connectedRows, groups: predictor.recipe.groups)
    let alone = RankStatistics(
      try ranking.scores(points), features.connectedRows.map { measured[$0] })
    #expect(alone.kendall > 0.6)
    let path = FileManager.default.temporaryDirectory
      .appendingPathComponent("ranking-\(UUID().uuidString).safetensors").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try predictor.write(to: path, provenance: .init(data: "test"))
    #expect(try NetworkAccuracyPredictor(contentsOf: path).predict(others) == predictions)
  }
}
