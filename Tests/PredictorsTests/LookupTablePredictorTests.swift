import Architectures
import Devices
import Foundation
import Testing

@testable import Predictors

@Suite struct LookupTablePredictorTests {
  private func published(
    _ format: PublishedTable, _ path: String, _ space: SearchSpace
  ) throws -> LookupTablePredictor {
    let data = try format.read(path: table(path), space: space.name, device: "published")
    #expect(BlockKeyFormat(of: data).rawValue == format.rawValue)
    return try LookupTablePredictor(space: space, table: data)
  }

  @Test(.enabled(if: publishedData != nil)) func note10() throws {
    let space = try catalog.space("ofa-mobilenetv3-w1.2")
    let predictor = try published(.ofa, "ofa_note10", space)
    for row in try rows(table("ofa_mbv3_w1.2_reference.csv")) {
      let genotype = try OFAArchitecture(row).genotype(in: space)
      #expect(abs(predictor.cost(genotype) - Double(row["note10_lut_ms"]!)!) < 1e-5)
    }
    let known = ["30ms": 29.965, "41ms": 39.907, "50ms": 49.781]
    for row in try rows(table("ofa_specialized.csv")) {
      for (name, latency) in known where row["net_id"]!.contains("note10_lat-\(name)") {
        let genotype = try OFAArchitecture(row).genotype(in: space)
        #expect(abs(predictor.cost(genotype) - latency) < 5e-4)
      }
    }
  }

  @Test(.enabled(if: publishedData != nil)) func otherPublishedTables() throws {
    let proxyless = try catalog.space("proxylessnas")
    let pixel = try published(.proxylessnas, "proxylessnas_mobile_trim.yaml", proxyless)
    #expect(pixel.cost(Genotype([UInt8](repeating: 0, count: proxyless.geneCount))) > 20)
    // Squeeze-and-excite is a key of its own there, so both widths of the space are covered.
    for name in ["ofa-mobilenetv3", "ofa-mobilenetv3-w1.2"] {
      let space = try catalog.space(name)
      let intel = try published(.nsganetv2, "nsganetv2_i7-8700K_lut.yaml", space)
      for genotype in genotypes(20, of: space) { #expect(intel.cost(genotype) > 1) }
    }
  }

  /// Sums of all-one-operator networks as published, in milliseconds.
  @Test(
    .enabled(if: publishedData != nil),
    arguments: [
      ("k3e3", 65.69), ("k3e6", 110.65), ("k5e3", 76.36), ("k5e6", 131.46),
    ]) func singlePath(_ operation: String, _ latency: Double) throws
  {
    // The space of ProxylessNAS without kernels of 7 and with a fixed last block.
    let yaml = try String(contentsOfFile: "searchspaces/proxylessnas.yaml", encoding: .utf8)
      .split(separator: "\n")
      .filter { !$0.contains("id: k7") && !$0.contains("depth: 1, out: 320") }
      .joined(separator: "\n")
      .replacingOccurrences(
        of: "  - conv: {name: feature_mix_layer",
        with: "  - stage: {depth: 1, out: 320, block: {mbconv: {kernel: 3, expand: 6}}}\n"
          + "  - conv: {name: feature_mix_layer")
    let space = try SearchSpace(yaml: yaml)
    let predictor = try published(.singlepath, "singlepath_pixel1_runtime_model.json", space)
    let genotype = Genotype(
      try space.genes.map { gene in
        UInt8(try #require(gene.codes.firstIndex(of: operation)))
      })
    #expect(abs(predictor.cost(genotype) - latency) < 5e-3)
  }

  /// A table of the space's own keys, priced by MACs.
  private func ownTable(_ space: SearchSpace) throws -> LookupTable {
    var table = LookupTable(space: space.name, provenance: .init(device: "desk"))
    for (key, block) in try space.distinctBlocks() {
      table.entries[key] = .init(Milliseconds(0.01 + Double(try block.graph().cost.macs) * 1e-7))
    }
    return table
  }

  @Test(arguments: ["fbnet", "nasbench201", "ofa-resnet50"]) func sumsItsOwnTables(
    _ name: String
  ) throws {
    let space = try catalog.space(name)
    let table = try ownTable(space)
    let predictor = try LookupTablePredictor(space: space, table: table)
    for genotype in genotypes(20, of: space) {
      let sum = try space.blocks(genotype).filter { $0.block.kind != .identity }.reduce(0.0) {
        $0 + table.entries[try $1.block.tableKey()]!.milliseconds.value
      }
      #expect(abs(predictor.cost(genotype) - sum) < 1e-9 * sum)
    }
  }

  @Test func calibrates() throws {
    let space = try catalog.space("fbnet")
    var table = try ownTable(space)
    let plain = try LookupTablePredictor(space: space, table: table)
    let samples = genotypes(30, of: space).map {
      LookupTablePredictor.Sample(
        $0, measured: Milliseconds(0.5 + 0.8 * plain.cost($0)))
    }
    table.calibration = try plain.calibration(fitting: samples)
    let calibrated = try LookupTablePredictor(space: space, table: table)
    let others = genotypes(50, of: space, seed: 2).map {
      LookupTablePredictor.Sample($0, measured: Milliseconds(0.5 + 0.8 * plain.cost($0)))
    }
    let evaluation = try calibrated.evaluate(others)
    #expect(evaluation.errors.largest < 1e-9)
    #expect(evaluation.errors.within10 == 1)
    #expect(evaluation.ranks.spearman > 0.999_999)
    #expect(try plain.evaluate(others).errors.median > 0.1)
    // What it was fitted to doesn't score; an earlier table doesn't say.
    #expect(try calibrated.unseen(samples + others) == others)
    table.calibration?.networks = nil
    let earlier = try LookupTablePredictor(space: space, table: table)
    #expect(try earlier.unseen(samples) == samples)
  }

  @Test func namesMissingBlocks() throws {
    let space = try catalog.space("fbnet")
    var table = try ownTable(space)
    let gone = table.entries.keys.sorted().prefix(3)
    for key in gone { table.entries[key] = nil }
    let coverage = try LookupTablePredictor.coverage(of: space, by: table)
    #expect(coverage.priced == table.entries.count)
    #expect(Set(coverage.missing) == Set(gone))
    let error = #expect(throws: PredictorsError.self) {
      try LookupTablePredictor(space: space, table: table)
    }
    #expect(error?.code == .missingKeys)
    #expect(error?.message.contains("'desk' lacks 3 blocks of fbnet, first '") == true)
    #expect(gone.contains { error?.message.hasSuffix("'\($0)'") == true })
  }

  /// A table may lack a resolution; networks of it can neither be fitted nor scored.
  @Test func namesASampleWithoutAPrice() throws {
    let space = try catalog.space("ofa-mobilenetv3")
    var table = try ownTable(space)
    let samples = genotypes(20, of: space).map {
      LookupTablePredictor.Sample($0, measured: Milliseconds(3))
    }
    let first = try #require(space.blocks(samples[0].genotype).first).block
    table.entries[try first.tableKey()] = nil
    let predictor = try LookupTablePredictor(space: space, table: table)
    let errors = [
      #expect(throws: PredictorsError.self) { try predictor.calibration(fitting: samples) },
      #expect(throws: PredictorsError.self) { try predictor.evaluate(samples) },
    ]
    for error in errors {
      #expect(error?.code == .missingKeys)
      #expect(error?.message.contains(space.id(samples[0].genotype)) == true)
    }
  }

  /// A table of one resolution serves there; elsewhere nothing keeps a budget.
  @Test(.enabled(if: publishedData != nil)) func coversOneResolution() throws {
    let space = try catalog.space("ofa-mobilenetv3-w1.2")
    let predictor = try published(.ofa, "ofa_note10/224_lookup_table.yaml", space)
    #expect(!predictor.missing.isEmpty)
    for genotype in genotypes(50, of: space) {
      #expect(predictor.cost(genotype).isFinite == (space.resolution(genotype) == 224))
    }
  }
}
