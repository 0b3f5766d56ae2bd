import Architectures
import Foundation
import Testing

@testable import Predictors

@Suite struct AccuracyTrainingTests {
  private func recipe(_ space: SearchSpace) -> AccuracyRecipe {
    var recipe = AccuracyRecipe(
      space: space.name, resolution: 224,
      candidates: [.init(hidden: [16], learningRate: 0.01, weightDecay: 0.1, epochs: 30)])
    recipe.members = 2
    return recipe
  }

  /// Architectures of the w1.0 space at 224 with accuracies made from their costs.
  private func samples(_ space: SearchSpace) throws -> AccuracySamples {
    let macs = try StaticCost.macs.table(for: space)
    return try AccuracySamples(
      genotypes(300, of: space).map { genotype in
        var genotype = genotype
        genotype.genes[0] = UInt8(space.genes[0].count - 1)
        return .init(genotype, accuracy: 0.8 - 1e7 / macs(genotype))
      }, space: space, name: "made up")
  }

  @Test func learnsIsDeterministicAndRoundTrips() throws {
    let space = try catalog.space("ofa-mobilenetv3")
    let samples = try samples(space)
    var steps: [Int] = []
    let predictor = try AccuracyPredictor.train(
      recipe: recipe(space), space: space, samples: samples
    ) { steps.append($0.done) }
    #expect(steps == [1, 2])
    let provenance = predictor.description.provenance
    #expect(provenance.test == 45 && provenance.validation == 30 && provenance.training == 225)
    #expect(provenance.testRanks!.kendall > 0.85)
    let again = try AccuracyPredictor.train(
      recipe: recipe(space), space: space, samples: samples)
    let all = genotypes(200, of: space, seed: 9)
    #expect(try predictor.scores(all) == again.scores(all))

    let path = NSTemporaryDirectory() + "accuracy-\(UUID().uuidString).safetensors"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try predictor.write(to: path)
    let read = try AccuracyPredictor(contentsOf: path, space: space)
    #expect(try read.predict(all) == predictor.predict(all))
    #expect(read.description == predictor.description)
    #expect(throws: PredictorsError.self) {
      try AccuracyPredictor(contentsOf: path, space: catalog.space("fbnet"))
    }
  }

  /// A space with the same genes is taken, but not without a word.
  @Test func saysThatTheSpaceIsAnother() throws {
    let path = "checkpoints/ofa-mobilenetv3-accuracy.safetensors"
    let words = "\(path) was made for 'ofa-mobilenetv3', not '"
    let space = try catalog.space("ofa-mobilenetv3")
    var genotype = genotypes(1, of: space)[0]
    genotype.genes[0] = UInt8(space.genes[0].count - 1)
    let own = try AccuracyPredictor(contentsOf: path, space: space)
    #expect(own.mismatch == nil)
    #expect(try !own.predict([genotype])[0].isExtrapolation)
    let wider = try catalog.space("ofa-mobilenetv3-w1.2")
    let other = try AccuracyPredictor(contentsOf: path, space: wider)
    #expect(other.mismatch == words + "ofa-mobilenetv3-w1.2'")
    #expect(try other.predict(genotypes(1, of: wider))[0].isExtrapolation)
    for name in ["nasbench201", "ofa-proxylessnas"] {
      let error = #expect(throws: PredictorsError.self) {
        try AccuracyPredictor(contentsOf: path, space: catalog.space(name))
      }
      #expect(error?.message.hasPrefix(words + "\(name)': ") == true, "\(error?.message ?? "")")
    }
  }

  @Test func lawOfResolution() throws {
    let law = try ResolutionLaw(
      fitting: [128, 160, 192, 208, 224].map { resolution in
        .init(
          resolution: resolution,
          published: 1 - 0.95 * 0.25 * pow(224 / Double(resolution), 0.3), atReference: 0.75)
      }, reference: 224, source: "made up")
    #expect(abs(law.exponent - 0.3) < 1e-9)
    #expect(law.accuracyError < 1e-9)
    #expect(law.resolutions == 128...224)
    #expect(law.errorFactor(at: 224) == 1)
    #expect(law.errorFactor(at: 128) > law.errorFactor(at: 160))
  }

  @Test(arguments: [
    (#"{"space":"s","resolution":224,"candidates":[],"epochs":3}"#, "unknown key 'epochs'"),
    (#"{"space":"s","resolution":224}"#, "key 'candidates' is missing"),
    (#"{"space":"s","resolution":224,"candidates":[]}"#, "needs a candidate"),
    (#"{"space":"s","test":0.2,"seed":-1,"candidates":[]}"#, "key 'seed' must not be negative: -1"),
    (#"{"space":"s","candidates":[{"width":3}]}"#, "unknown key 'width' in 'candidates'"),
    (
      #"{"space":"s","candidates":[],"encoding":{"groups":[{"role":"kernel","value":[3]}]}}"#,
      "unknown key 'value' in 'encoding.groups'"
    ),
  ]) func refusesRecipes(_ json: String, _ message: String) {
    let error = #expect(throws: PredictorsError.self) {
      try AccuracyRecipe(json: Data(json.utf8))
    }
    #expect(error?.message.contains(message) == true)
    #expect(error?.exitCode == 65)
  }

  /// Values that can't be columns, in recipes and in files.
  @Test(arguments: [
    ("ofa-mobilenetv3", FeatureEncoding.Role.kernel, [Double]()),
    ("ofa-mobilenetv3", .kernel, [5, 3]), ("ofa-mobilenetv3", .kernel, [3, 3]),
    ("nasbench201", .operation, [1, 2]),
  ]) func refusesValues(_ name: String, _ role: FeatureEncoding.Role, _ values: [Double]) throws {
    let space = try catalog.space(name)
    let encoding = FeatureEncoding([.init(role, values: values)])
    var recipe = recipe(space)
    recipe.resolution = space.choicesOfResolution.last
    recipe.encoding = encoding
    let samples = try AccuracySamples(
      genotypes(100, of: space).map { genotype in
        var genotype = genotype
        if let gene = space.resolutionGeneIndex {
          genotype.genes[gene] = UInt8(space.genes[gene].count - 1)
        }
        return .init(genotype, accuracy: 0.5)
      }, space: space, name: "made up")
    let error = #expect(throws: PredictorsError.self) {
      try AccuracyPredictor.train(recipe: recipe, space: space, samples: samples)
    }
    #expect(error?.message.contains("values of \(role.rawValue) genes") == true, "\(error as Any)")
    #expect(throws: PredictorsError.self) {
      try AccuracyPredictor(
        space: space,
        description: AccuracyPredictorDescription(
          space: name, encoding: encoding, trainedResolutions: [], provenance: .init(data: "")),
        members: [MultilayerPerceptron([])], name: "damaged")
    }
  }

  @Test func refusesSamplesOfAnotherResolution() throws {
    let space = try catalog.space("ofa-mobilenetv3")
    var mixed = try samples(space).samples
    mixed[7].genotype.genes[0] = 0
    let error = #expect(throws: PredictorsError.self) {
      try AccuracyPredictor.train(
        recipe: recipe(space), space: space,
        samples: AccuracySamples(mixed, space: space, name: "mixed.csv"))
    }
    #expect(error?.code == .badSamples)
    #expect(
      error?.message.hasPrefix("mixed.csv: \(space.id(mixed[7].genotype)) is at resolution 128")
        == true, "\(error?.message ?? "")")
  }

  /// Blocks that are skipped leave no trace: two ids may be one network, which may not be learned
  /// from and test.
  @Test func mergesTwins() throws {
    let space = try catalog.space("fbnet")
    let other = "k3e1_k3e1_k3e1_k3e1"
    let measured = try [
      ("k3e6_k3e6_skip_k3e6", 0.5), ("k3e6_k3e6_k3e6_skip", 0.75), ("k3e6_skip_k3e6_k3e3", 0.7),
    ].map { stage, accuracy in
      let id = "k3e3-\(stage)-\(other)-\(other)-\(other)-\(other)-k3e1"
      return AccuracySamples.Sample(try space.genotype(id: id), accuracy: accuracy)
    }
    let samples = try AccuracySamples(measured, space: space, name: "made up")
    #expect(samples.samples.map(\.genotype) == [measured[0].genotype, measured[2].genotype])
    #expect(samples.samples.map(\.accuracy) == [0.625, 0.7])
    #expect(samples.measurements == 3)
  }

  @Test func refusesSamples() throws {
    let path = NSTemporaryDirectory() + "samples-\(UUID().uuidString).csv"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try "id,accuracy\nofa-mobilenetv3:r224,0.7\n".write(
      toFile: path, atomically: true, encoding: .utf8)
    let error = #expect(throws: PredictorsError.self) {
      try AccuracySamples(contentsOf: path, space: catalog.space("ofa-mobilenetv3"))
    }
    #expect(error?.message.hasPrefix("\(path):2: ") == true)
  }

  /// With few images a network may get all of them right, or none.
  @Test func takesAllSharesOfImages() throws {
    let path = NSTemporaryDirectory() + "samples-\(UUID().uuidString).csv"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let cells = ["c3-c3_c3-c3_c3_c3", "c1-c3_c3-c3_c3_c3"].map { "nasbench201:\($0)" }
    func read(_ last: String) throws -> [Double] {
      try "id,accuracy\n\(cells[0]),0.0000\n\(cells[1]),\(last)\n".write(
        toFile: path, atomically: true, encoding: .utf8)
      return try AccuracySamples(contentsOf: path, space: catalog.space("nasbench201")).samples
        .map(\.accuracy)
    }
    #expect(try read("1.0000") == [0, 1])
    #expect(throws: PredictorsError.self) { try read("1.5") }
  }

  /// The committed recipe on the measured accuracies: Kendall's tau on the part held out.
  @Test(.enabled(if: publishedData != nil)) func measuredAccuracies() throws {
    let space = try catalog.space("ofa-mobilenetv3")
    let samples = try AccuracySamples(
      contentsOf: table("ofa_mbv3_w1.0_imagenet_top1.csv"), space: space)
    #expect(samples.measurements == 2373)
    var recipe = try AccuracyRecipe(
      contentsOf: "checkpoints/ofa-mobilenetv3-accuracy.recipe.json")
    recipe.candidates = [recipe.candidates[1]]
    recipe.members = 2
    let predictor = try AccuracyPredictor.train(
      recipe: recipe, space: space, samples: samples,
      releases: ReleasedNetworks(contentsOf: table("ofa_specialized.csv"), space: space))
    #expect(predictor.description.provenance.testRanks!.kendall > 0.94)
    let law = try #require(predictor.description.resolutionLaw)
    #expect(abs(law.exponent - 0.25) < 0.05)
  }
}
