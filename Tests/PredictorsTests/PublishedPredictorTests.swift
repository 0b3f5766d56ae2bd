import Architectures
import Testing

@testable import Predictors

@Suite(.enabled(if: publishedData != nil)) struct PublishedPredictorTests {
  @Test(arguments: [
    ("ofa-mobilenetv3-w1.2", "ofa_mbv3_acc_predictor", "ofa_mbv3_w1.2_reference.csv", 2000),
    ("ofa-resnet50", "ofa_resnet50_acc_predictor", "ofa_resnet50_reference.csv", 500),
  ]) func agrees(_ spaceName: String, _ weights: String, _ reference: String, _ count: Int) throws {
    let space = try catalog.space(spaceName)
    let predictor = try AccuracyPredictor(
      contentsOf: table("\(weights).safetensors"), space: space)
    let rows = try rows(table(reference))
    #expect(rows.count == count)
    let scores = try predictor.scores(rows.map { try OFAArchitecture($0).genotype(in: space) })
    let worst = zip(scores, rows).map { abs($0 - Double($1["predicted_top1"]!)!) }.max()!
    #expect(worst < 1e-5)
    print("\(weights): largest difference \(worst)")
  }

  /// The figure of the data's own description: trained on width 1.2, ranking measured width 1.0.
  @Test func ranksMeasuredNetworks() throws {
    let space = try catalog.space("ofa-mobilenetv3")
    let predictor = try AccuracyPredictor(
      contentsOf: table("ofa_mbv3_acc_predictor.safetensors"), space: space)
    let rows = try rows(table("ofa_mbv3_w1.0_imagenet_top1.csv"))
    let genotypes = try rows.map { try OFAArchitecture($0).genotype(in: space) }
    let measured = rows.map { Double($0["top1"]!)! }
    let ranks = RankStatistics(try predictor.scores(genotypes), measured)
    #expect(abs(ranks.kendall - 0.881) < 5e-4)
    #expect(abs(ranks.spearman - 0.982) < 5e-4)
    let macs = try StaticCost.macs.table(for: space)
    #expect(abs(RankStatistics.kendall(genotypes.map { macs($0) }, measured) - 0.798) < 5e-4)
  }

  @Test func scoresDoNotDependOnTheBatch() throws {
    let space = try catalog.space("ofa-mobilenetv3-w1.2")
    let predictor = try AccuracyPredictor(
      contentsOf: table("ofa_mbv3_acc_predictor.safetensors"), space: space)
    let all = genotypes(300, of: space)
    let together = try predictor.scores(all)
    for (genotype, score) in zip(all, together) {
      #expect(try predictor.scores([genotype]) == [score])
    }
    #expect(try predictor.scores(all.reversed()) == together.reversed())
  }

  @Test func genesOfSkippedBlocksDoNotMatter() throws {
    for (name, weights) in [
      ("ofa-mobilenetv3-w1.2", "ofa_mbv3_acc_predictor"),
      ("ofa-resnet50", "ofa_resnet50_acc_predictor"),
    ] {
      let space = try catalog.space(name)
      let predictor = try AccuracyPredictor(
        contentsOf: table("\(weights).safetensors"), space: space)
      var generator = SeededGenerator(seed: 3)
      for _ in 0..<100 {
        let genotype = space.sample(using: &generator)
        var other = genotype
        for gene in space.genes.indices where !space.isActive(gene, in: genotype) {
          other.genes[gene] = UInt8(generator.next(below: space.genes[gene].count))
        }
        #expect(try predictor.scores([genotype]) == predictor.scores([other]))
      }
    }
  }

  @Test func saysWhereItExtrapolates() throws {
    let space = try catalog.space("ofa-mobilenetv3-w1.2")
    let predictor = try AccuracyPredictor(
      contentsOf: table("ofa_mbv3_acc_predictor.safetensors"), space: space)
    let id = "-k3e3_k3e3-k3e3_k3e3-k3e3_k3e3-k3e3_k3e3-k3e3_k3e3"
    let predictions = try predictor.predict(
      try ["r176", "r180"].map { try space.genotype(id: $0 + id) })
    #expect(predictions.map(\.isExtrapolation) == [false, true])
    #expect(predictions[0].accuracy == predictions[1].accuracy)
  }
}
