import Foundation
import Testing

struct KernelsTests {
  static let probes = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "datasets/kernel-probes.csv").path

  /// A predictor learned from them, once for all tests; it lies in a folder of its own.
  static let trained: String = {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("swiftlet-kernels-\(UUID().uuidString)")
    try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let path = folder.appendingPathComponent("kernels.safetensors").path
    _ = try? Command().run("kernels", "train", "--samples", probes, "-o", path)
    return path
  }()

  /// A network predicts the same whether it comes as an id or as an ONNX file.
  @Test func filesAndIdsPredictTheSame() throws {
    let command = try Command()
    defer { command.remove() }
    let predictor = Self.trained
    #expect(FileManager.default.fileExists(atPath: predictor))
    let id = "family:mnasnet-1"
    // Files are known by what they hold, too.
    let files = ["net.onnx", "net.ONNX", "net.bin"].map(command.path)
    for file in files { #expect(try command.run("export", id, "-o", file).status == 0) }
    let result = try command.run(
      ["predict", "latency", id] + files + ["--predictor", predictor, "--json"])
    #expect(result.status == 0, "\(result.errors)")
    let predictions = try #require(result.json["predictions"] as? [[String: Any]])
    let latencies = predictions.compactMap { $0["latencyMs"] as? Double }
    #expect(latencies.count == 4 && latencies[0] > 0)
    #expect(Set(latencies).count == 1)
  }

  @Test func badInputIsNamed() throws {
    let command = try Command()
    defer { command.remove() }
    let net = command.path("x.safetensors")
    for (arguments, status, words) in [
      (["kernels", "train", "-o", net], 64, "--device"),
      (["kernels", "train", "--samples", "none.csv", "-o", net], 65, "none.csv"),
      (["kernels", "show", "family:lenet-1"], 65, "family:NAME-NUMBER"),
      (["kernels", "evaluate", "--predictor", "none", "--samples", Self.probes], 65, "none"),
      (["kernels", "evaluate", "--predictor", Self.trained], 64, "--samples"),
      (["kernels", "measure", "--device", "nowhere"], 69, "nowhere"),
      (["bench", "kernels", "--data", command.path("no")], 65, "v100_trt_conv_ops.csv"),
    ] {
      let result = try command.run(arguments)
      #expect(result.status == Int32(status), "\(arguments): \(result.errors)")
      #expect(result.errors.contains(words), "\(arguments): \(result.errors)")
    }
  }
}
