public import Architectures

/// Settings of `RandomSearcher`.
public struct RandomOptions: SearcherOptions {
  public var evaluations = 50_000
  /// Architectures scored at once.
  public var batch = 100

  public init() {}

  public func validate() throws {
    try check("evaluations", evaluations, in: 1...1_000_000_000)
    try check("batch", batch, in: 1...100_000)
  }
}

/// Uniform samples within the limits: what every other searcher must beat (Li and Talwalkar
/// 2019, arXiv 1902.07638).
public struct RandomSearcher: Searcher {
  public static let name = "random"
  public static let summary = "uniform samples within the limits"

  public let options: RandomOptions
  public private(set) var step = 0
  private var generator: SeededGenerator

  public init(options: RandomOptions, seed: UInt64) {
    self.options = options
    generator = SeededGenerator(seed: seed, stream: "searchers.random")
  }

  public var steps: Int { (options.evaluations + options.batch - 1) / options.batch }
  public var members: [Genotype] { [] }
  public var isConsistent: Bool { step >= 0 }

  public mutating func advance(in context: inout SearchContext) throws {
    let count = min(options.batch, options.evaluations - step * options.batch)
    var batch = context.batch(count)
    try context.sampler.addStart(count, to: &batch, using: &generator)
    _ = try context.scores(batch)
    step += 1
  }
}
