import Architectures
import ArgumentParser
import Foundation
import Networks
import Store
import Supernets
import Tensors

extension SupernetCommand {
  struct Alone: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Train architectures from scratch: what supernet accuracies are compared with.",
      discussion: """
        One after the other, each for as many epochs as the recipe's phases have together, with its \
        batch, rate, decay and smoothing, on the same images. The folder gets a checkpoint of each, \
        and accuracies as 'supernet evaluate' writes them: validation.csv and test.csv, which \
        'samples compare' compares. A run that was stopped or killed goes on when the same command \
        is given again.
        """)
    @Argument(help: "Architectures' ids (space:genes).") var architectures: [String]
    @Option(help: "Folder of images.") var data: String
    @Option(help: "Recipe (YAML) of the supernet.") var recipe: String
    @Option(help: "Epochs, if not those of the recipe.") var epochs: Int?
    @Option(name: .shortAndLong, help: "Folder of checkpoints to keep and to go on from.")
    var output: String
    @Option(help: "Threads to compute with.") var threads = 2
    @Flag(help: "Leave broken images out instead of stopping at the first.")
    var skipBroken = false
    @OptionGroup var common: CommonOptions

    func run() throws {
      let recipe = try TrainingRecipe(contentsOf: recipe)
      let collection = try ImageCollection(data, skipsBroken: skipBroken)
      for note in collection.notes { Terminal.note(note, quiet: common.quiet) }
      let spaces = try architectures.map { id in
        try SpaceCatalog.standard.space(ofID: id).withClasses(collection.classNames.count)
      }
      let genotypes = try zip(spaces, architectures).map { space, id in
        space.canonical(try space.genotype(id: id))
      }
      var options = SubnetTrainer.Options(comparableTo: recipe)
      if let epochs {
        guard (1...100_000).contains(epochs) else {
          throw Failure(.usage, "--epochs \(epochs): 1 to 100,000")
        }
        options.epochs = epochs
        options.warmUp = min(options.warmUp, epochs)
      }
      try OutputFile.makeFolder(of: output + "/-")
      var images: [String: TrainingData] = [:]  // by space
      var results = (validation: [StoredEvaluation](), test: [StoredEvaluation]())
      var costs: [OperatorCost] = []
      for (space, genotype) in zip(spaces, genotypes) {
        let data =
          try images[space.name]
          ?? TrainingData(
            collection, space, validation: recipe.validation, seed: recipe.seed,
            skipsBroken: skipBroken)
        images[space.name] = data
        let network = try trained(space, genotype, data, options, recipe)
        func accuracy(_ images: any ImageDataset, _ name: String) throws -> StoredEvaluation {
          let result = try SubnetEvaluator(
            data, on: images, recalibration: recipe.recalibration, threads: threads
          ).evaluate(network, recalibrates: false)
          return StoredEvaluation(
            id: space.id(genotype), checkpoint: "alone",
            conditions: "images=\(name) seed=\(options.seed) epochs=\(options.epochs)",
            accuracy: result.accuracy, images: images.count)
        }
        costs.append(try space.graph(genotype).cost)
        results.validation.append(try accuracy(data.validation, "validation"))
        try EvaluationCSV.update(output + "/validation.csv", results.validation, costs: costs)
        guard let images = data.test else { continue }
        results.test.append(try accuracy(images, "test"))
        try EvaluationCSV.update(output + "/test.csv", results.test, costs: costs)
      }
      try report(results, epochs: options.epochs, seed: options.seed)
    }

    private func trained(
      _ space: SearchSpace, _ genotype: Genotype, _ data: TrainingData,
      _ options: SubnetTrainer.Options, _ recipe: TrainingRecipe
    ) throws -> ExtractedNetwork {
      var random = RandomStream(seed: recipe.seed).derived("weights")
      let network = try ExtractedNetwork(space, genotype, random: &random)
      let name = space.id(genotype).replacing(":", with: "-")
      var bar = Progress("step", quiet: common.quiet)
      let engine = try Engine(threads: threads)
      _ = try Interrupt.guarding(resume: "the same command goes on") {
        try SubnetTrainer(data, options, engine: engine).train(
          network, checkpoint: "\(output)/\(name).safetensors",
          shouldStop: { Interrupt.isRequested }
        ) { bar.update($0, of: $1, String(format: "loss %.3f", $2)) }
      }
      bar.finish()
      return network
    }

    private func report(
      _ results: (validation: [StoredEvaluation], test: [StoredEvaluation]), epochs: Int,
      seed: UInt64
    ) throws {
      let test = Dictionary(results.test.map { ($0.id, $0.accuracy) }) { $1 }
      if common.json {
        return try Output.json(
          "training-alone",
          [
            "epochs": .integer(epochs), "seed": .unsigned(seed),
            "networks": .array(
              results.validation.map {
                [
                  "id": .string($0.id), "validation": .number($0.accuracy),
                  "test": .optional(test[$0.id]),
                ]
              }),
          ])
      }
      Output.table(
        ["epochs", "validation %", "test %", "architecture"],
        results.validation.map {
          [
            "\(epochs)", Output.percent($0.accuracy), test[$0.id].map(Output.percent) ?? "-", $0.id,
          ]
        })
    }
  }
}
