import Architectures
import Foundation
import Store
import Testing

@testable import Predictors

/// On the samples that came along.
struct KernelPredictorTests {
  static func samples(_ file: String) throws -> [Sample] {
    try SamplesCSV.parse(
      String(contentsOfFile: file, encoding: .utf8), file: file, allowingSubMillisecond: true)
  }

  @Test func theBundledSamplesPredictOtherFamilies() throws {
    let probes = try Self.samples("datasets/kernel-probes.csv")
    let seen = try KernelSamples(probes, spaces: catalog)
    var options = SumModel.Options.kernels
    options.networkSteps = 150
    options.rounds = 100
    options.rate = 0.15
    let predictor = try KernelPredictor.train(seen, options: options)
    let device = predictor.provenance.device
    let families = try KernelSamples(
      Self.samples("datasets/families.csv").filter {
        $0.device == device && $0.id.hasPrefix("family:mnasnet")
      }, spaces: catalog)
    let evaluation = try predictor.evaluate(families)
    #expect(evaluation.errors.mean < 0.15)
    #expect(evaluation.ranks.spearman > 0.9)

    // The file holds the same predictor.
    let path = FileManager.default.temporaryDirectory
      .appendingPathComponent("kernels-\(UUID().uuidString).safetensors").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try predictor.write(to: path)
    #expect(try KernelPredictor(contentsOf: path) == predictor)

    // The kernels' times and the offset are the network's.
    let prediction = predictor.predict(families.rows[0].graph)
    let sum = prediction.kernels.reduce(predictor.model.offset) { $0 + $1.time.value }
    #expect(abs(sum - prediction.latency.value) < 1e-9)
    #expect(prediction.unknown.isEmpty)
  }

  @Test func samplesThatDoNotFitAreRefused() throws {
    let probes = try Self.samples("datasets/kernel-probes.csv")
    let seen = try KernelSamples(Array(probes.suffix(40)), spaces: catalog)
    #expect(throws: PredictorsError.self) { try KernelPredictor.train(seen) }  // no fusion tests
    var mixed = seen
    mixed.rows[3].sample.device = "another"
    let error = #expect(throws: PredictorsError.self) { try KernelPredictor.train(mixed) }
    #expect(error?.message.contains("another") == true)
    var changed = probes[0]
    changed.network = "0"
    #expect(throws: PredictorsError.self) { try KernelSamples([changed], spaces: catalog) }
    let file = Sample(id: "net.onnx", space: "", device: "d", latencyMedian: Milliseconds(1))
    #expect(throws: PredictorsError.self) { try KernelSamples([file], spaces: catalog) }
    #expect(throws: PredictorsError.self) { try KernelPredictor(contentsOf: "README.md") }
  }
}
