import Architectures
import ArgumentParser
import Foundation
import Networks
import Supernets
import Tensors

struct SupernetCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "supernet",
    abstract: "Once-for-all networks: train one, evaluate and sample its subnets.",
    subcommands: [Train.self, Alone.self, Evaluate.self, Sample.self, Pack.self])

  struct Train: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Train a supernet on images of your own.",
      discussion: """
        --data is a folder: CIFAR-10 or CIFAR-100 (binary), MNIST-like IDX files, or JPEG and PNG \
        files in one folder a class, with or without train/ and test/ above them. Phases of the \
        recipe follow one another. A run that was stopped or killed goes on when the same command is \
        given again. Docs/supernets.md has the keys of a recipe. --from starts with the weights of \
        another training of the space: on more epochs, or on other images and classes.
        """)
    @Option(help: "Name of a space, or path of a space file.") var space: String
    @Option(help: "Folder of images.") var data: String
    @Option(help: "Recipe (YAML).") var recipe: String
    @Option(help: "Supernet to start from (packed or not, or an ofa state dict); else random.")
    var from: String?
    @Option(name: .shortAndLong, help: "Folder for checkpoints, log and weights.")
    var output: String
    @Option(help: "Threads to compute with.") var threads = 2
    @Flag(help: "Leave broken images out instead of stopping at the first.")
    var skipBroken = false
    @OptionGroup var common: CommonOptions

    func run() throws {
      guard let recipeText = try TextFile.read(recipe) else {
        throw Failure(.input, "\(recipe): no such file")
      }
      let parsed = try TrainingRecipe(yaml: recipeText, file: recipe)
      let collection = try ImageCollection(data, skipsBroken: skipBroken)
      for note in collection.notes { Terminal.note(note, quiet: common.quiet) }
      let space = try SpaceCatalog.standard.space(space)
        .withClasses(collection.classNames.count)
      // What comes later knows the space by its name.
      guard (try? SpaceCatalog.standard.space(space.name)) != nil else {
        throw Failure(
          .input,
          "\(self.space): the space '\(space.name)' would not be found later; put the file into "
            + "./searchspaces, or name its folder in SWIFTLET_SPACES")
      }
      let data = try TrainingData(
        collection, space, validation: parsed.validation, seed: parsed.seed,
        skipsBroken: skipBroken)
      Terminal.note(
        "\(data.training.count) training, \(data.validation.count) validation and "
          + "\(data.test?.count ?? 0) test images of \(data.classNames.count) classes, "
          + "\(data.side) pixels", quiet: common.quiet)
      var random = RandomStream(seed: parsed.seed).derived("weights")
      let supernet = try Supernet(space, random: &random)
      let origin = try from.map { try start(supernet, from: $0, data, parsed) }
      let trainer = try SupernetTrainer(
        supernet, data, parsed, recipeText: recipeText, origin: origin,
        directory: URL(fileURLWithPath: output), engine: try Engine(threads: threads))
      try show(trainer, space.name)
      // Also where nothing was left to train.
      try TrainingCurves.write(folder: output, space: space.name)
      if common.json {
        let rows = try TrainingLog.rows("\(output)/log.csv")
        try Output.json(
          "supernet-training",
          [
            "space": .string(space.name), "file": .string("\(output)/supernet.safetensors"),
            "epochs": .integer(rows.last?.epoch ?? 0),
            "validation": [
              "smallest": .optional(rows.last?.accuracy.smallest),
              "random": .optional(rows.last?.accuracy.random),
              "largest": .optional(rows.last?.accuracy.largest),
            ],
          ])
      } else {
        Output.line("\(output)/supernet.safetensors: \(supernet.parameterCount) parameters")
      }
    }

    /// - Returns: what the weights are called from then on: their digest, and how long they were
    ///   trained.
    private func start(
      _ supernet: Supernet, from path: String, _ data: TrainingData, _ recipe: TrainingRecipe
    ) throws -> SupernetTrainer.Origin {
      let weights = try InitialWeights(contentsOf: path)
      let extent = try weights.load(into: supernet, classNames: data.classNames)
      let digest = SupernetArgument.digest(of: weights.tensors).prefix(12)
      let name = "\(digest)" + (weights.epochs.map { ", \($0) epochs" } ?? "")
      let classifier =
        switch extent {
        case .allButClassifier: "; other classes: the classifier starts anew"
        case .all where weights.classNames == nil:
          "; it does not name its classes: they are taken to be the same"
        case .all: ""
        }
      Terminal.note("weights of \(path) (\(name))\(classifier)", quiet: common.quiet)
      if weights.mayKnowValidation(of: data, recipe) {
        let mend = weights.recipe.map { ": seed \($0.seed), validation \($0.validation)" } ?? ""
        Terminal.note(
          "they may have been trained on images that are held out now, and accuracies on those be "
            + "too high; the same images are held out by the earlier recipe's\(mend)",
          quiet: common.quiet)
      }
      return SupernetTrainer.Origin(name: name, weights: weights)
    }

    private func show(_ trainer: SupernetTrainer, _ name: String) throws {
      _ = try Interrupt.guarding(resume: "the same command goes on") {
        var bars: [String: Progress] = [:]
        defer { for name in bars.keys { bars[name]?.finish() } }
        return try trainer.run(shouldStop: { Interrupt.isRequested }) { state in
          let label = "\(state.phase) (\(state.phaseNumber.0)/\(state.phaseNumber.1)) step"
          bars[label, default: Progress(label, quiet: common.quiet)].update(
            state.step, of: state.epoch.1 * state.stepsPerEpoch,
            String(
              format: "epoch %d/%d, loss %.3f, %.0f images/s", state.epoch.0, state.epoch.1,
              state.loss, state.imagesPerSecond))
          guard let accuracy = state.accuracy else { return }
          try TrainingCurves.write(folder: output, space: name)
          guard !common.quiet else { return }
          bars[label]?.finish()
          Terminal.error(
            String(
              format: "%@ epoch %d/%d: loss %.3f, smallest %.2f, random %.2f, largest %.2f %%",
              state.phase, state.epoch.0, state.epoch.1, state.loss, accuracy.smallest * 100,
              accuracy.random * 100, accuracy.largest * 100))
        }
      }
    }
  }
}
