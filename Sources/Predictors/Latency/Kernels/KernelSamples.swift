public import Architectures
public import Store

/// Measured networks with their graphs: what kernel-level predictors learn from.
public struct KernelSamples: Sendable {
  public struct Row: Sendable {
    public var graph: OperatorGraph
    public var sample: Sample
  }

  public var rows: [Row]

  /// Finds the graph of each sample: by its text, its family or its space.
  ///
  /// - Throws: `badSamples` naming a sample whose id tells no network, or another one than was
  ///   measured; `ArchitecturesError`.
  public init(_ samples: [Sample], spaces: SpaceCatalog = .standard) throws {
    var known: [String: SearchSpace] = [:]
    rows = try samples.map { sample in
      let graph = try Self.graph(sample.id, spaces, &known)
      guard sample.network == sample.id || sample.network == ArchitectureText(graph).digest else {
        throw PredictorsError(
          .badSamples,
          "'\(sample.id.prefix(80))' was another network when it was measured; measure it again")
      }
      return Row(graph: graph, sample: sample)
    }
  }

  /// What the fusion tests among the samples tell.
  ///
  /// - Throws: `badSamples` if one of them is missing.
  public func fusionRules() throws -> FusionRules {
    var known: [String: Milliseconds] = [:]
    for row in rows where row.sample.id.hasPrefix("Input1:") {
      known[ArchitectureText(row.graph).digest] = row.sample.latencyMedian
    }
    var test = FusionTest { graph in
      guard let latency = known[ArchitectureText(graph).digest] else {
        throw PredictorsError(
          .badSamples,
          "the fusion tests are not complete among the samples; measure them with: swiftlet kernels "
            + "measure")
      }
      return latency
    }
    return try test.rules()
  }

  private static func graph(
    _ id: String, _ spaces: SpaceCatalog, _ known: inout [String: SearchSpace]
  ) throws -> OperatorGraph {
    if let graph = try NetworkID.free(id) { return graph }
    guard let colon = id.firstIndex(of: ":") else {
      throw PredictorsError(
        .badSamples,
        "'\(id.prefix(80))' is no architecture's id: kernels are learned from ids of spaces "
          + "(space:genes), families (family:NAME-NUMBER) and texts")
    }
    let name = String(id[..<colon])
    let space = try known[name] ?? spaces.space(name)
    known[name] = space
    return try space.graph(space.genotype(id: id))
  }
}
