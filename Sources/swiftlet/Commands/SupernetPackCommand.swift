import Architectures
import ArgumentParser
import Foundation
import Networks
import Supernets
import Tensors

extension SupernetCommand {
  struct Pack: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Make a supernet small, and usable without its images.",
      discussion: """
        Weights are stored as float16. Subnets need statistics of their own, which come from images; \
        where those are not at hand, 'export' and 'search' take them from images that are made up \
        here: noise, changed until the norms of many subnets see the statistics that they see with \
        the training images. How well that does is then tried on other subnets.
        """)
    @Option(help: "Supernet that 'supernet train' wrote.") var checkpoint: String
    @Option(help: "Folder of images that it was trained on.") var data: String
    @Option(help: "Images to make up; 0 for none.") var images = 256
    @Option(help: "Steps of making them.") var steps = 800
    @Option(help: "Subnets whose statistics they are made to have.") var subnets = 24
    @Option(help: "Other subnets to try them on.") var tried = 8
    @Option(help: "Seed of the images and of the subnets.") var seed: UInt64 = 1
    @Option(name: .shortAndLong, help: "File to write.") var output: String
    @Option(help: "Threads to compute with.") var threads = 2
    @OptionGroup var common: CommonOptions

    func run() throws {
      guard (0...100_000).contains(images), images == 0 || images >= 16 else {
        throw Failure(.usage, "--images \(images): must be 0, or in 16...100000")
      }
      guard (1...1_000_000).contains(steps), (2...1000).contains(subnets),
        (0...1000).contains(tried)
      else {
        throw Failure(
          .usage, "--steps must be in 1...1000000, --subnets in 2...1000, --tried in 0...1000")
      }
      func resolved(_ path: String) -> String {
        URL(fileURLWithPath: path).resolvingSymlinksInPath().path
      }
      guard resolved(output) != resolved(checkpoint) else {
        throw Failure(
          .usage, "-o \(output): is the supernet itself, whose float32 weights would be lost")
      }
      // Before minutes of work.
      try OutputFile.makeFolder(of: output)
      let supernet = try SupernetArgument(checkpoint)
      let data = try supernet.data(data, quiet: common.quiet)
      var file = supernet.file
      (file.calibration, file.provenance["calibration"]) = (nil, nil)
      if images > 0 {
        file.calibration = try makeImages(supernet, data)
        file.provenance["calibration"] =
          "\(images) images made up from the statistics of \(subnets) subnets; \(steps) steps, "
          + "seed \(seed)"
      }
      try file.write(to: output, precision: .float16)
      try report(try trials(data))
    }

    private func makeImages(_ supernet: SupernetArgument, _ data: TrainingData) throws -> Tensor {
      var options = CalibrationImages.Options()
      (options.images, options.steps, options.subnets) = (images, steps, subnets)
      options.seed = seed
      let maker = try CalibrationImages(
        supernet.supernet, supernet.choices(), data,
        recalibration: supernet.recipe.recalibration, options,
        engine: try Engine(threads: threads))
      var bar = Progress("making images, step", quiet: common.quiet)
      defer { bar.finish() }
      return try Interrupt.guarding(resume: "nothing was written") {
        try maker.make { state in
          bar.update(
            state.step, of: state.steps,
            String(format: "distance of statistics %.4f", state.distance))
          if Interrupt.isRequested { throw CancellationError() }
        }
      }
    }

    /// A subnet that the images were not made from: accuracy on held-out images, 0...1.
    private struct Trial {
      var id: String
      var withTrainingImages: Double
      var withMadeUpImages: Double
    }

    /// Reads the file again: what is tried is what was written.
    private func trials(_ data: TrainingData) throws -> [Trial] {
      let supernet = try SupernetArgument(output)
      guard supernet.file.calibration != nil, tried > 0 else { return [] }
      let engine = try Engine(threads: threads)
      let choices = try supernet.choices()
      var random = SeededGenerator(seed: seed, stream: "calibration-trials")
      let evaluator = try SubnetEvaluator(
        data, on: data.validation, recalibration: supernet.recipe.recalibration, threads: threads)
      var bar = Progress("tried", quiet: common.quiet)
      defer { bar.finish() }
      return try (1...tried).map { number in
        let genotype = choices.uniform(&random)
        let network = try supernet.supernet.extracted(genotype, engine: engine)
        func accuracy(_ data: TrainingData?) throws -> Double {
          _ = try supernet.recalibrate(network, data, engine: engine)
          return try evaluator.evaluate(network, recalibrates: false).accuracy
        }
        let trial = Trial(
          id: supernet.space.id(genotype), withTrainingImages: try accuracy(data),
          withMadeUpImages: try accuracy(nil))
        bar.update(number, of: tried)
        return trial
      }
    }

    private func report(_ trials: [Trial]) throws {
      if common.json {
        return try Output.json(
          "supernet-pack",
          [
            "file": .string(output),
            "trials": .array(
              trials.map {
                [
                  "id": .string($0.id), "trainingImages": .number($0.withTrainingImages),
                  "madeUpImages": .number($0.withMadeUpImages),
                ]
              }),
          ])
      }
      if !trials.isEmpty {
        Output.table(
          ["validation %", "with made-up images", "architecture"],
          trials.map {
            [
              Output.percent($0.withTrainingImages), Output.percent($0.withMadeUpImages), $0.id,
            ]
          })
        let count = Double(trials.count)
        let lost = trials.map { $0.withTrainingImages - $0.withMadeUpImages }.reduce(0, +) / count
        Output.line(String(format: "lost by made-up images: %.2f points", lost * 100))
      }
      Output.line(output)
    }
  }
}
