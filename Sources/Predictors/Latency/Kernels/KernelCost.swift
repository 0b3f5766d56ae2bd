public import Architectures
import Synchronization

/// A kernel-level predictor as the cost of a search over one space: the same milliseconds as for
/// whole networks, but some microseconds an architecture in place of a millisecond.
///
/// Which kernels a block becomes depends on the blocks beside it and on the layout of its operand.
/// So each block's kernels are found once for each pair of neighbours, and an architecture's latency
/// is a sum over its blocks. Networks of cells are predicted whole, once each.
public final class KernelCost: Sendable {
  public let predictor: KernelPredictor
  public let space: SearchSpace
  private let chain: Chain?
  private let known = Mutex<[Genotype: Double]>([:])
  private let blocks = Mutex<[Place: PlacedKernels]>([:])
  /// Whether a block has operators at all, unlike a skip.
  private let hasOperators = Mutex<[UnitIndex.Key: Bool]>([:])

  /// Entries that each memory holds before it starts over.
  private static let capacity = 1 << 18

  /// What sums over the blocks of a space without cells are made of.
  private struct Chain: Sendable {
    let index: UnitIndex
    let weightBytes: SeparableCost
    let activationBytes: SeparableCost
  }

  /// - Throws: `ArchitecturesError` when a block of the space does not fit.
  public init(_ predictor: KernelPredictor, space: SearchSpace) throws {
    self.predictor = predictor
    self.space = space
    chain =
      space.isStaged
      ? try UnitIndex(space).map {
        Chain(
          index: $0, weightBytes: try StaticCost.weightBytes.table(for: space),
          activationBytes: try StaticCost.activationBytes.table(for: space))
      } : nil
  }

  /// Operators among some random architectures of kinds that no sample had: their times are guesses.
  public var unknown: Set<String> {
    var generator = SeededGenerator(seed: 0, stream: "kernels of \(space.name)")
    return (0..<8).reduce(into: []) { found, _ in
      let genotype = space.canonical(space.sample(using: &generator))
      guard let graph = try? space.graph(genotype) else { return }
      found.formUnion(predictor.predict(graph).unknown)
    }
  }

  /// Milliseconds.
  public func cost(_ genotype: Genotype) throws -> Double {
    guard let chain else {
      if let latency = known.withLock({ $0[genotype] }) { return latency }
      let latency = predictor.latency(try space.graph(genotype)).value
      known.withLock { known in
        if known.count >= Self.capacity { known.removeAll(keepingCapacity: true) }
        known[genotype] = latency
      }
      return latency
    }
    var keys: [UnitIndex.Key] = []
    chain.index.keys(of: genotype, into: &keys)
    keys = try keys.filter { try hasOperators($0, chain.index) }
    let memory = predictor.memoryCost(
      networkBytes: chain.weightBytes(genotype)
        + chain.activationBytes(genotype) * Double(predictor.provenance.batch))
    var latency = predictor.model.offset
    // Whether the operand of the block before is blocked, and that of this one.
    var (before, here) = (false, false)
    for index in keys.indices {
      let place = Place(
        previous: index > 0 ? keys[index - 1] : nil, own: keys[index],
        next: index + 1 < keys.count ? keys[index + 1] : nil, isBlocked: before)
      let kernels = try kernels(at: place, chain.index)
      for kernel in kernels.kernels { latency += kernel.time(memory) }
      (before, here) = (here, kernels.leavesBlocked)
    }
    return latency
  }

  private func hasOperators(_ key: UnitIndex.Key, _ index: UnitIndex) throws -> Bool {
    if let known = hasOperators.withLock({ $0[key] }) { return known }
    let found = try !index.unit(key).graph().nodes.isEmpty
    hasOperators.withLock { $0[key] = found }
    return found
  }

  private func kernels(at place: Place, _ index: UnitIndex) throws -> PlacedKernels {
    if let known = blocks.withLock({ $0[place] }) { return known }
    let found = try PlacedKernels(place, index, predictor)
    blocks.withLock { blocks in
      if blocks.count >= Self.capacity { blocks.removeAll(keepingCapacity: true) }
      blocks[place] = found
    }
    return found
  }
}

/// A block between its neighbours.
private struct Place: Hashable {
  var previous: UnitIndex.Key?
  var own: UnitIndex.Key
  var next: UnitIndex.Key?
  /// Whether the operand of the first of them is in a blocked layout.
  var isBlocked: Bool
}

/// The kernels of a block between its neighbours.
private struct PlacedKernels: Sendable {
  /// Those that begin in the block.
  let kernels: [TimedKernel]
  let leavesBlocked: Bool

  init(_ place: Place, _ index: UnitIndex, _ predictor: KernelPredictor) throws {
    let keys = [place.previous, place.own, place.next].compactMap { $0 }
    let (graph, operators) = try NetworkUnit.chain(keys.map(index.unit))
    let own = operators[place.previous == nil ? 0 : 1]
    let all = KernelPartition(
      graph, rules: predictor.rules, batch: predictor.provenance.batch,
      isInputBlocked: place.isBlocked
    ).kernels
    kernels = all.filter { own.contains($0.nodes[0]) }.map { predictor.timed($0) }
    leavesBlocked = all.first { $0.nodes.contains(own.upperBound - 1) }?.isBlocked ?? false
  }
}
