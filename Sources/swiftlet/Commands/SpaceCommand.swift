import Architectures
import ArgumentParser
import Foundation

struct SpaceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "space", abstract: "Search spaces: list, show, sample.",
    subcommands: [List.self, Show.self, Sample.self])

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the search spaces.")
    @OptionGroup var common: CommonOptions

    func run() throws {
      let catalog = SpaceCatalog.standard
      let spaces = try catalog.names.map { try catalog.space($0) }
      if common.json {
        try Output.json("spaces", ["spaces": .array(spaces.map { .object($0.summary) })])
      } else {
        Output.table(
          ["space", "genes", "architectures", "title"],
          spaces.map { [$0.name, "\($0.genes.count)", $0.countText, $0.title] })
      }
    }
  }

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Show a space: its genes and the costs of its ends.")
    @Argument(help: "Name of a space, or path of a space file.") var space: String
    @OptionGroup var common: CommonOptions

    func run() throws {
      let space = try SpaceCatalog.standard.space(space)
      let ends = try [0, 255].map { end in
        let genotype = Genotype(space.genes.map { UInt8(min(end, $0.count - 1)) })
        return (id: space.id(genotype), cost: try space.graph(genotype).cost)
      }
      if common.json {
        var body = space.summary
        body["genes"] = .array(
          space.genes.map { gene in
            [
              "name": .string(gene.name), "role": .string(gene.role.rawValue),
              "choices": .array(gene.codes.map { .string($0) }),
            ]
          })
        body["ends"] = .array(
          ends.map { end in
            [
              "id": .string(end.id), "macs": .integer(end.cost.macs),
              "parameters": .integer(end.cost.parameters),
            ]
          })
        try Output.json("space", body)
        return
      }
      Output.line("\(space.name): \(space.title)")
      Output.line("source: \(space.source)")
      Output.line("\(space.countText) architectures, \(space.genes.count) genes")
      for end in ends {
        Output.line(
          "\(Output.millions(end.cost.macs)) MACs, \(Output.millions(end.cost.parameters)) parameters: "
            + end.id)
      }
      Output.table(
        ["gene", "role", "choices"],
        space.genes.map { [$0.name, $0.role.rawValue, $0.codes.joined(separator: " ")] })
    }
  }

  struct Sample: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Draw architectures uniformly, gene by gene.")
    @Argument(help: "Name of a space, or path of a space file.") var space: String
    @Option(name: [.customShort("n"), .long], help: "How many different architectures.")
    var count = 10
    @Option(help: "Seed of the draw.") var seed: UInt64 = 0
    @OptionGroup var common: CommonOptions

    func run() throws {
      let space = try SpaceCatalog.standard.space(space)
      let genotypes = try space.distinctSamples(count, seed: seed)
      if common.json {
        let rows = try genotypes.map { genotype -> JSON in
          let cost = try space.graph(genotype).cost
          return [
            "id": .string(space.id(genotype)), "macs": .integer(cost.macs),
            "parameters": .integer(cost.parameters),
          ]
        }
        try Output.json(
          "samples",
          [
            "space": .string(space.name), "seed": .unsigned(seed),
            "architectures": .array(rows),
          ])
      } else {
        for genotype in genotypes { Output.line(space.id(genotype)) }
      }
    }
  }
}

extension SearchSpace {
  /// `count` different architectures, drawn uniformly gene by gene.
  /// - Throws: when the space does not hold so many, or they are too rare to be drawn.
  func distinctSamples(_ count: Int, seed: UInt64) throws -> [Genotype] {
    guard count > 0, count <= 10_000_000 else {
      throw Failure(.usage, "-n \(count): ask for 1 to 10,000,000 architectures")
    }
    if let total = architectureCount, UInt128(count) > total {
      throw Failure(.usage, "-n \(count): \(name) holds only \(total) architectures")
    }
    var generator = SeededGenerator(seed: seed, stream: "sample \(name)")
    var seen = Set<Genotype>()
    var result: [Genotype] = []
    let tries = count * 200 + 10_000
    for _ in 0..<tries where result.count < count {
      let genotype = canonical(sample(using: &generator))
      if seen.insert(genotype).inserted { result.append(genotype) }
    }
    guard result.count == count else {
      throw Failure(
        .failed, "only \(result.count) of \(count) different architectures in \(tries) draws")
    }
    return result
  }

  var countText: String {
    guard let count = architectureCount else { return "over 2^128" }
    return count < 1_000_000 ? "\(count)" : String(format: "%.3g", Double(count))
  }

  var summary: [String: JSON] {
    [
      "name": .string(name), "title": .string(title), "source": .string(source),
      "architectures": .string(architectureCount.map { "\($0)" } ?? "over 2^128"),
      "geneCount": .integer(genes.count), "classes": .integer(classes),
    ]
  }
}
