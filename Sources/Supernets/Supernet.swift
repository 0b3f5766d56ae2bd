public import Architectures
public import Networks
public import Tensors

/// A network that holds every architecture of a staged space: once-for-all (Cai et al. 2020,
/// arXiv 1908.09791).
///
/// An architecture is computed with views of the shared weights, so choosing one copies nothing.
/// Parameters have the names of the `ofa` package, so that state dicts go both ways.
public final class Supernet: Layer {
  public let space: SearchSpace
  private let layers: [Named]

  private struct Named {
    var name: String
    var block: any ElasticBlock
  }

  /// An architecture of the space, ready to be computed.
  public struct Subnet: Sendable {
    public let genotype: Genotype
    /// Side of the input in pixels.
    public let resolution: Int
    let blocks: [(slot: Int, block: Block)]
  }

  /// - Parameter random: draws the weights, once-for-all's `he_fout`.
  /// - Throws: `SupernetsError` or `ArchitecturesError` if one network cannot hold the space.
  public init(_ space: SearchSpace, random: inout RandomStream) throws {
    self.space = space
    layers = try space.elasticLayers().map { layer in
      Named(name: layer.largest.name.text, block: try makeBlock(layer, &random))
    }
  }

  public var members: [Member] { layers.map { .layer($0.name, $0.block) } }

  /// Path of the layer whose outputs are the classes.
  var classifierPath: String { layers.last?.name ?? "" }

  /// - Throws: `foreignArchitecture` if the genotype is not of the space.
  public func subnet(_ genotype: Genotype) throws -> Subnet {
    guard genotype.genes.count == space.geneCount,
      zip(genotype.genes, space.genes).allSatisfy({ Int($0) < $1.count })
    else {
      throw SupernetsError(
        .foreignArchitecture, "the architecture is not one of the space '\(space.name)'")
    }
    let blocks = space.blocks(genotype)
    return Subnet(
      genotype: genotype, resolution: space.resolution(genotype), blocks: blocks)
  }

  /// Logits `[N, classes]` of images `[N, H, W, C]`; their size need not be the subnet's.
  /// - Parameter dropout: probability before the classifier, in training.
  public func callAsFunction(
    _ x: Variable, _ subnet: Subnet, dropout: Float = 0, _ pass: Pass
  ) throws -> Variable {
    let steps = subnet.blocks.map { (layers[$0.slot].block, $0.block) }
    return try logits(x, steps, dropout: dropout, pass)
  }

  /// Sorts the inner channels of all blocks by importance, for phases that train narrower forms.
  /// Functions of the largest subnets stay as they are.
  /// - Parameter stage: expansions from the smallest that earlier phases have trained on, less one.
  public func sortChannels(kept stage: Int = 0) {
    for layer in layers { layer.block.sortChannels(kept: stage) }
  }

  /// A subnet with weights of its own: nothing else of the supernet is in it, and its parameters
  /// have the names of the architecture's graph.
  public func extracted(_ genotype: Genotype, engine: Engine) throws -> ExtractedNetwork {
    let subnet = try subnet(genotype)
    let network = try ExtractedNetwork(space: space, subnet: subnet)
    for (own, layer) in zip(network.blocks, subnet.blocks) {
      try layers[layer.slot].block.extract(into: own, engine)
    }
    return network
  }
}

/// One architecture of a staged space as a network of its own.
public final class ExtractedNetwork: Layer {
  public let space: SearchSpace
  public let subnet: Supernet.Subnet
  let blocks: [any ElasticBlock]

  init(
    space: SearchSpace, subnet: Supernet.Subnet, random: inout RandomStream
  ) throws {
    self.space = space
    self.subnet = subnet
    blocks = try subnet.blocks.map { _, block in
      try makeBlock(ElasticLayer(only: block), &random)
    }
  }

  convenience init(space: SearchSpace, subnet: Supernet.Subnet) throws {
    var random = RandomStream(seed: 0)
    try self.init(space: space, subnet: subnet, random: &random)
  }

  /// The architecture with fresh weights: to be trained alone.
  public convenience init(
    _ space: SearchSpace, _ genotype: Genotype, random: inout RandomStream
  ) throws {
    let subnet = Supernet.Subnet(
      genotype: genotype, resolution: space.resolution(genotype), blocks: space.blocks(genotype))
    try self.init(space: space, subnet: subnet, random: &random)
  }

  public var members: [Member] {
    zip(subnet.blocks, blocks).map { .layer($0.block.name.text, $1) }
  }

  /// Logits `[N, classes]` of images `[N, H, W, C]`.
  public func callAsFunction(
    _ x: Variable, dropout: Float = 0, _ pass: Pass
  ) throws -> Variable {
    try logits(x, zip(blocks, subnet.blocks.map(\.block)), dropout: dropout, pass)
  }
}

/// Each layer computes its block of the architecture, with dropout before the classifier.
private func logits(
  _ x: Variable, _ steps: some Sequence<(any ElasticBlock, Block)>, dropout: Float, _ pass: Pass
) throws -> Variable {
  var x = x
  for (layer, block) in steps {
    if dropout > 0, pass.isTraining, block.kind == .linear {
      x = try x.dropout(probability: dropout, random: &pass.random)
    }
    x = try layer(x, block, pass)
  }
  return x
}
