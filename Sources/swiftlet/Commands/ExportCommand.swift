import Architectures
import ArgumentParser
import Foundation
import ONNXFormat

struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Write an architecture as an ONNX file.",
    discussion: """
      Without trained weights the file holds seeded He-initialised ones, which its metadata says: \
      good for measuring, not for predicting.
      """)
  @Argument(help: "An architecture's id (space:genes).") var architecture: String
  @Option(name: .shortAndLong, help: "File to write.") var output: String
  @Option(help: "Images at once.") var batch = 1
  @Option(help: "Seed of the weights.") var seed: UInt64 = 0
  @OptionGroup var common: CommonOptions

  func run() throws {
    guard (1...65_536).contains(batch) else {
      throw Failure(.usage, "--batch \(batch): must be in 1...65536")
    }
    let network = try NetworkArgument(architecture)
    guard let id = network.id else {
      throw Failure(.usage, "\(architecture): an ONNX file already; name an architecture's id")
    }
    let weights = HeInitialization(seed: seed)
    try ONNXFile.write(
      network.graph, weights: weights,
      metadata: ONNXMetadata(properties: ["swiftlet.id": id]), batch: batch,
      to: URL(fileURLWithPath: output))
    if common.json {
      try Output.json(
        "export",
        [
          "id": .string(id), "file": .string(output),
          "weights": .string(weights.provenance),
        ])
    } else {
      Output.line("\(output): \(id), weights \(weights.provenance)")
    }
  }
}
