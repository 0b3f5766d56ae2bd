public import Architectures

/// An architecture as Once-for-All's files write it: lists of kernels, expansions, depths and
/// widths, with or without the entries of blocks that don't exist.
public struct OFAArchitecture: Hashable, Sendable {
  public var kernels: [Int] = []
  public var expansions: [Double] = []
  /// Blocks a stage; for ResNets how many more than the fewest, the stem first.
  public var depths: [Int] = []
  /// Choices of width; ResNets only.
  public var widths: [Int] = []
  public var resolution: Int?

  public init() {}

  /// Reads the fields `ks`, `e`, `d`, `w` (lists separated by spaces) and `r` or `resolution`.
  /// - Throws: `badSamples` naming the field that isn't what it should be.
  public init(_ fields: [String: String]) throws {
    func numbers<Number: LosslessStringConvertible>(_ name: String) throws -> [Number] {
      try (fields[name] ?? "").split(separator: " ").map { word in
        guard let number = Number(String(word)) else {
          throw PredictorsError(.badSamples, "'\(word)' in '\(name)' is no number")
        }
        return number
      }
    }
    kernels = try numbers("ks")
    expansions = try numbers("e")
    depths = try numbers("d")
    widths = try numbers("w")
    resolution = try (numbers("r") as [Int]).first ?? (numbers("resolution") as [Int]).first
  }

  /// The genotype, not canonical: genes keep what the lists say.
  /// - Throws: `badSamples` naming the entry that the space has no choice for.
  public func genotype(in space: SearchSpace) throws -> Genotype {
    var genotype = Genotype([UInt8](repeating: 0, count: space.genes.count))
    func genes(_ role: Gene.Role) -> [Int] {
      space.genes.indices.filter { space.genes[$0].role == role }
    }
    func fail(_ what: String) -> PredictorsError {
      PredictorsError(.badSamples, "\(what) in \(space.name)")
    }
    func set(_ gene: Int, choice: Int?, _ value: String) throws {
      guard let choice, (0..<space.genes[gene].count).contains(choice) else {
        throw fail("\(value) is no choice of \(space.genes[gene].name)")
      }
      genotype.genes[gene] = UInt8(choice)
    }
    if let gene = space.resolutionGeneIndex, let resolution {
      try set(
        gene, choice: space.genes[gene].values.firstIndex(of: Double(resolution)),
        "the resolution \(resolution)")
    }
    // Stages of one depth have no gene; their entries come last.
    let depthGenes = genes(.depth)
    guard depths.count >= depthGenes.count else {
      throw fail("\(depths.count) depths for \(depthGenes.count) stages")
    }
    for (gene, depth) in zip(depthGenes, depths) {
      let choices = space.genes[gene]
      let choice =
        widths.isEmpty
        ? choices.values.firstIndex(of: Double(depth)) : min(depth, choices.count - 1)
      try set(gene, choice: choice, "depth \(depth)")
    }
    let widthGenes = genes(.width)
    guard widths.count == widthGenes.count else {
      throw fail("\(widths.count) widths for \(widthGenes.count) places")
    }
    for (gene, width) in zip(widthGenes, widths) {
      try set(gene, choice: width, "width \(width)")
    }
    func fill(_ role: Gene.Role, _ values: [Double]) throws {
      let all = genes(role)
      let active = all.filter { space.isActive($0, in: genotype) }
      guard values.count == all.count || values.count == active.count else {
        throw fail("\(values.count) \(role.rawValue) entries for \(active.count) blocks")
      }
      for (gene, value) in zip(values.count == all.count ? all : active, values) {
        try set(
          gene, choice: space.genes[gene].values.firstIndex(of: value), "\(role.rawValue) \(value)")
      }
    }
    try fill(.kernel, kernels.map(Double.init))
    try fill(.expand, expansions)
    return genotype
  }
}
