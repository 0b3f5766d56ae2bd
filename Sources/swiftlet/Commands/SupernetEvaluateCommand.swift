import Architectures
import ArgumentParser
import Foundation
import Networks
import Predictors
import Store
import Supernets

extension SupernetCommand {
  struct Evaluate: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Measure the accuracy of subnets with the supernet's weights.",
      discussion: """
        Each subnet takes new statistics from training images, then hits are counted on the images \
        that were held out of training, or with --test on the test images. Results are kept in the \
        store: what was evaluated before is not evaluated again, so a killed run goes on.
        """)
    @Argument(help: "Architectures' ids (space:genes), or '-' for lines of standard input.")
    var architectures: [String] = []
    @Option(help: "Supernet that 'supernet train' wrote.") var checkpoint: String
    @Option(help: "Folder of images that it was trained on.") var data: String
    @Option(help: "As many random subnets besides.") var random = 0
    @Option(help: "Seed of the random subnets.") var seed: UInt64 = 1
    @Option(help: "How they are drawn: uniform, uniform-cost (in MACs), best-up or worst-up.")
    var rule = "uniform"
    @Option(help: "Training images that statistics are taken from; the recipe's when left out.")
    var recalibration: Int?
    @Flag(help: "Count on the test images.") var test = false
    @Flag(help: "Evaluate also what the store knows.") var again = false
    @Option(help: "Threads; each evaluates its own subnets.") var threads = 2
    @Option(name: .shortAndLong, help: "CSV to write.") var output: String?
    @OptionGroup var common: CommonOptions

    func run() throws {
      let supernet = try SupernetArgument(checkpoint)
      let space = supernet.space
      let genotypes = try wanted(space, supernet.choices())
      let data = try supernet.data(data, quiet: common.quiet)
      guard let images = test ? data.test : data.validation else {
        throw Failure(.input, "\(self.data): there are no test images")
      }
      let statistics = recalibration ?? supernet.recipe.recalibration
      guard (1...1_000_000).contains(statistics) else {
        throw Failure(.usage, "--recalibration \(statistics): must be in 1...1000000")
      }
      // The images by their number and digest: another folder is another evaluation.
      let conditions =
        "images=\(test ? "test" : "validation") count=\(images.count) "
        + "data=\(SHA256.hex(data.identity.utf8).prefix(12)) seed=\(supernet.recipe.seed) "
        + "recalibration=\(statistics)"
      let store = try Store()
      var known =
        again ? [:] : try store.evaluations(checkpoint: supernet.digest, conditions: conditions)
      let missing = genotypes.filter { known[space.id($0)] == nil }
      var bar = Progress("evaluated", quiet: common.quiet)
      var done = genotypes.count - missing.count
      let started = ContinuousClock.now
      try Interrupt.guarding {
        let evaluator = try SubnetEvaluator(
          data, on: images, recalibration: statistics, threads: threads)
        _ = try evaluator.evaluate(missing, of: supernet.supernet) { result in
          let evaluation = StoredEvaluation(
            id: space.id(result.genotype), checkpoint: supernet.digest, conditions: conditions,
            accuracy: result.accuracy, images: result.images)
          try store.add(evaluation)
          known[evaluation.id] = evaluation
          done += 1
          bar.update(done, of: genotypes.count, evaluation.id)
          if Interrupt.isRequested { throw CancellationError() }
        }
      }
      bar.finish()
      let seconds = Double((ContinuousClock.now - started) / .milliseconds(1)) / 1000
      try report(
        try genotypes.map { genotype in
          guard let found = known[space.id(genotype)] else {
            throw Failure(.failed, "\(space.id(genotype)) was not evaluated")
          }
          return (genotype, found)
        }, space, evaluated: missing.count, seconds: seconds)
    }

    private func wanted(_ space: SearchSpace, _ choices: ChoiceSet) throws -> [Genotype] {
      var ids = architectures.filter { $0 != "-" }
      if architectures.contains("-") {
        while let line = readLine() {
          if !line.allSatisfy(\.isWhitespace) { ids.append(line) }
        }
      }
      // Each once: what is there twice would count double for whoever learns from it.
      var seen: Set<Genotype> = []
      var genotypes = try ids.map { space.canonical(try space.genotype(id: $0)) }
        .filter { seen.insert($0).inserted }
      let strangers = genotypes.count { choices.strangers(in: $0) > 0 }
      if strangers > 0 {
        Terminal.note(
          "note: \(strangers) architectures have choices that the supernet was not trained with",
          quiet: common.quiet)
      }
      guard (0...1_000_000).contains(random) else {
        throw Failure(.usage, "--random \(random): must be in 0...1000000")
      }
      let sampler = try SubnetSampler(choices)
      let rule: SubnetSampler.Rule = try Choice.named(rule, "--rule")
      var generator = SeededGenerator(seed: seed, stream: "supernet-sample")
      let wanted = genotypes.count + random
      var tries = 0
      while genotypes.count < wanted, tries < 100 * random {
        tries += 1
        let genotype = sampler.draw(rule, &generator)
        if seen.insert(genotype).inserted { genotypes.append(genotype) }
      }
      guard !genotypes.isEmpty else {
        throw Failure(.usage, "name architectures, or say --random N")
      }
      if genotypes.count < wanted {
        Terminal.note(
          "\(genotypes.count - wanted + random) different subnets were found, not \(random)",
          quiet: common.quiet)
      }
      return genotypes
    }

    private func report(
      _ results: [(Genotype, StoredEvaluation)], _ space: SearchSpace, evaluated: Int,
      seconds: Double
    ) throws {
      let costs = try results.map { try space.graph($0.0).cost }
      if let output {
        try EvaluationCSV.write(results.map(\.1), costs: costs, to: output)
      }
      let rate = seconds > 0 ? Double(evaluated) / seconds : 0
      if common.json {
        try Output.json(
          "evaluations",
          [
            "space": .string(space.name), "checkpoint": .string(checkpoint),
            "evaluated": .integer(evaluated), "seconds": .number(seconds),
            "evaluations": .array(
              zip(results, costs).map { result, cost in
                [
                  "id": .string(result.1.id), "measuredAccuracy": .number(result.1.accuracy),
                  "images": .integer(result.1.images), "macs": .integer(cost.macs),
                  "parameters": .integer(cost.parameters),
                ]
              }),
          ])
        return
      }
      if output == nil || results.count <= 50 {
        Output.table(
          ["accuracy %", "M MACs", "architecture"],
          zip(results, costs).map { result, cost in
            [
              Output.percent(result.1.accuracy), String(format: "%.2f", Double(cost.macs) / 1e6),
              result.1.id,
            ]
          })
      }
      Terminal.note(
        String(format: "%d evaluated in %.1f s (%.2f a second)", evaluated, seconds, rate),
        quiet: common.quiet)
    }
  }

  struct Sample: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Draw subnets of a space.",
      discussion: """
        uniform: every choice uniformly. uniform-cost: uniformly in the cost. best-up, worst-up: as \
        often as uniform draws have a cost, in bins. sandwich: the largest, the smallest, then \
        uniform ones.
        """)
    @Argument(help: "Name of a space, or path of a space file.") var space: String
    @Option(name: .customShort("n"), help: "How many.") var count = 10
    @Option(help: "uniform, uniform-cost, best-up, worst-up or sandwich.") var rule = "uniform"
    @Option(help: "What uniform-cost goes by: macs, parameters, weightBytes, activationBytes.")
    var cost = "macs"
    @Option(help: "Seed.") var seed: UInt64 = 1
    @OptionGroup var common: CommonOptions

    func run() throws {
      guard (1...1_000_000).contains(count) else {
        throw Failure(.usage, "-n \(count): must be in 1...1000000")
      }
      let space = try SpaceCatalog.standard.space(space)
      let metric: StaticCost = try Choice.named(cost, "--cost")
      let table = try metric.table(for: space)
      let sampler = SubnetSampler(try ChoiceSet(space), cost: table)
      var generator = SeededGenerator(seed: seed, stream: "supernet-sample")
      var genotypes: [Genotype]
      if rule == "sandwich" {
        genotypes = Array(
          sampler.sandwich(random: max(0, count - 2), &generator).prefix(count))
      } else {
        let rule: SubnetSampler.Rule = try Choice.named(rule, "--rule")
        genotypes = (0..<count).map { _ in sampler.draw(rule, &generator) }
      }
      if common.json {
        try Output.json(
          "subnets",
          [
            "space": .string(space.name),
            "architectures": .string(
              space.architectureCount.map { "\($0)" } ?? "more than 2^128"),
            "subnets": .array(
              genotypes.map { ["id": .string(space.id($0)), "cost": .number(table($0))] }),
          ])
      } else {
        for genotype in genotypes { Output.line(space.id(genotype)) }
        Terminal.note(
          "of \(space.architectureCount.map { "\($0)" } ?? "more than 2^128") architectures",
          quiet: common.quiet)
      }
    }
  }
}

/// A value that an option names.
enum Choice {
  /// - Throws: a failure of usage that lists what is possible.
  static func named<Value: RawRepresentable & CaseIterable>(
    _ name: String, _ option: String
  ) throws -> Value where Value.RawValue == String {
    guard let value = Value(rawValue: name) else {
      let known = Value.allCases.map(\.rawValue).joined(separator: ", ")
      throw Failure(.usage, "\(option) \(name): must be one of \(known)")
    }
    return value
  }
}
