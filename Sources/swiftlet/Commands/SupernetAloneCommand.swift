import Architectures
import ArgumentParser
import Foundation
import Networks
import Supernets
import Tensors

extension SupernetCommand {
  struct Alone: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Train one architecture from scratch: what its supernet accuracy is compared with.",
      discussion: """
        As many epochs as the recipe's phases have together, its batch, rate, decay and smoothing, \
        the same images. A run that was stopped or killed goes on when the same command is given \
        again.
        """)
    @Argument(help: "An architecture's id (space:genes).") var architecture: String
    @Option(help: "Folder of images.") var data: String
    @Option(help: "Recipe (YAML) of the supernet.") var recipe: String
    @Option(help: "Epochs, if not those of the recipe.") var epochs: Int?
    @Option(name: .shortAndLong, help: "Checkpoint to keep and to go on from.") var output: String
    @Option(help: "Threads to compute with.") var threads = 2
    @OptionGroup var common: CommonOptions

    func run() throws {
      let recipe = try TrainingRecipe(contentsOf: recipe)
      let collection = try ImageCollection(data)
      let space = try SpaceCatalog.standard.space(ofID: architecture)
        .withClasses(collection.classNames.count)
      let genotype = try space.genotype(id: architecture)
      let data = try TrainingData(
        collection, resolution: space.resolution(space.largestGenotype),
        validation: recipe.validation, seed: recipe.seed)
      var random = RandomStream(seed: recipe.seed).derived("weights")
      let network = try ExtractedNetwork(space, genotype, random: &random)
      var options = SubnetTrainer.Options(comparableTo: recipe)
      if let epochs {
        guard epochs > 0 else { throw Failure(.usage, "--epochs \(epochs): must be above 0") }
        options.epochs = epochs
        options.warmUp = min(options.warmUp, epochs)
      }
      try OutputFile.makeFolder(of: output)
      var bar = Progress("step", quiet: common.quiet)
      let engine = try Engine(threads: threads)
      _ = try Interrupt.guarding(resume: "the same command goes on") {
        try SubnetTrainer(data, options, engine: engine).train(
          network, checkpoint: output, shouldStop: { Interrupt.isRequested }
        ) { bar.update($0, of: $1, String(format: "loss %.3f", $2)) }
      }
      bar.finish()
      func accuracy(_ images: any ImageDataset) throws -> Double {
        try SubnetEvaluator(
          data, on: images, recalibration: recipe.recalibration, threads: threads
        ).evaluate(network, recalibrates: false).accuracy
      }
      let validation = try accuracy(data.validation)
      let test = try data.test.map(accuracy)
      if common.json {
        try Output.json(
          "training-alone",
          [
            "id": .string(space.id(genotype)), "epochs": .integer(options.epochs),
            "seed": .integer(Int(options.seed)), "validation": .number(validation),
            "test": .optional(test),
          ])
      } else {
        Output.table(
          ["epochs", "validation %", "test %", "architecture"],
          [
            [
              "\(options.epochs)", Output.percent(validation), test.map(Output.percent) ?? "-",
              space.id(genotype),
            ]
          ])
      }
    }
  }
}
