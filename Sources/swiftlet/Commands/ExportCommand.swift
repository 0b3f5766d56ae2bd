import Architectures
import ArgumentParser
import Foundation
import Networks
import ONNXFormat
import Supernets
import Tensors

struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Write an architecture as an ONNX file.",
    discussion: """
      With --checkpoint the file holds the supernet's weights for this architecture; --data names \
      the images its norms take their statistics from, and --finetune trains it further on them \
      first. Without trained weights the file holds seeded He-initialised ones, which its metadata \
      says: good for measuring, not for predicting.
      """)
  @Argument(help: "An architecture's id (space:genes).") var architecture: String
  @Option(name: .shortAndLong, help: "File to write.") var output: String
  @Option(help: "Supernet that 'supernet train' wrote.") var checkpoint: String?
  @Option(help: "Folder of images that it was trained on.") var data: String?
  @Option(help: "Epochs to train the subnet further.") var finetune = 0
  @Option(help: "Learning rate of that.") var rate: Float = 0.005
  @Flag(help: "Make norms, and convolutions with nothing between them, part of others.")
  var fold = false
  @Option(help: "Images at once.") var batch = 1
  @Option(help: "Seed of the weights.") var seed: UInt64 = 0
  @Option(help: "Threads to compute with.") var threads = 2
  @OptionGroup var common: CommonOptions

  func run() throws {
    guard (1...65_536).contains(batch) else {
      throw Failure(.usage, "--batch \(batch): must be in 1...65536")
    }
    guard (0...100_000).contains(finetune), finetune == 0 || data != nil else {
      throw Failure(.usage, "--finetune needs --data, and epochs up to 100,000")
    }
    guard rate > 0, rate.isFinite else { throw Failure(.usage, "--rate \(rate): must be above 0") }
    guard checkpoint != nil || data == nil && !fold else {
      throw Failure(.usage, "--data and --fold need the weights of a --checkpoint")
    }
    try OutputFile.makeFolder(of: output)
    guard let checkpoint else { return try exportUntrained() }
    let supernet = try SupernetArgument(checkpoint)
    let genotype = try supernet.space.genotype(id: architecture)
    if try supernet.choices().strangers(in: supernet.space.canonical(genotype)) > 0 {
      Terminal.note(
        "note: \(architecture) has choices that the supernet was not trained with",
        quiet: common.quiet)
    }
    let (network, statistics) = try trained(genotype, supernet)
    let provenance =
      supernet.provenance(statistics) + (finetune > 0 ? ", \(finetune) more epochs" : "")
    let weights = try NamedWeights(
      network.state().mapValues(\.array), provenance: provenance)
    let graph = try supernet.space.graph(genotype)
    let id = supernet.space.id(genotype)
    guard fold else { return try write(graph, weights, id: id, supernet.properties) }
    let folded = try FoldedNetwork(graph, weights)
    try write(
      folded.graph, folded.weights, id: id, supernet.properties,
      folded: (folded.norms, folded.linear))
  }

  /// The subnet with weights and statistics of its own, and where the statistics come from.
  private func trained(
    _ genotype: Genotype, _ supernet: SupernetArgument
  ) throws -> (ExtractedNetwork, statistics: String) {
    let engine = try Engine(threads: threads)
    let network = try supernet.supernet.extracted(genotype, engine: engine)
    let data = try data.map { try supernet.data($0, quiet: common.quiet) }
    if data == nil, supernet.file.calibration == nil {
      Terminal.note(
        "note: without --data the norms keep the statistics of the whole supernet, which cost "
          + "accuracy", quiet: common.quiet)
    }
    if let data, finetune > 0 {
      var options = SubnetTrainer.Options(comparableTo: supernet.recipe)
      options.epochs = finetune
      options.rate = rate
      options.warmUp = 0
      var bar = Progress("fine-tuning, step", quiet: common.quiet)
      _ = try Interrupt.guarding(resume: "nothing was written") {
        try SubnetTrainer(data, options, engine: engine).train(
          network, shouldStop: { Interrupt.isRequested }
        ) { bar.update($0, of: $1, String(format: "loss %.3f", $2)) }
      }
      bar.finish()
    }
    return (network, try supernet.recalibrate(network, data, engine: engine))
  }

  private func exportUntrained() throws {
    let network = try NetworkArgument(architecture)
    guard let id = network.id else {
      throw Failure(.usage, "\(architecture): an ONNX file already; name an architecture's id")
    }
    try write(network.graph, HeInitialization(seed: seed), id: id)
  }

  /// - Parameter folded: norms, and convolutions and additions, that became part of others.
  private func write(
    _ graph: OperatorGraph, _ weights: any WeightSource, id: String,
    _ properties: [String: String] = [:], folded: (norms: Int, linear: Int) = (0, 0)
  ) throws {
    try ONNXFile.write(
      graph, weights: weights,
      metadata: ONNXMetadata(properties: properties.merging(["swiftlet.id": id]) { $1 }),
      batch: batch, to: URL(fileURLWithPath: output))
    if common.json {
      try Output.json(
        "export",
        [
          "id": .string(id), "file": .string(output), "weights": .string(weights.provenance),
          "foldedNorms": .integer(folded.norms), "foldedLinear": .integer(folded.linear),
        ])
    } else {
      let note =
        fold ? "; folded \(folded.norms) norms, \(folded.linear) convolutions and additions" : ""
      Output.line("\(output): \(id), weights \(weights.provenance)\(note)")
    }
  }
}
