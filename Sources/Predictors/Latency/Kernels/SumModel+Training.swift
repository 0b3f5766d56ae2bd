internal import Architectures
import Foundation

extension SumModel {
  /// How a model is trained; chosen on validation families, see `Docs/kernel-predictor.md`.
  public struct Options: Codable, Equatable, Sendable {
    public var rounds = 300
    public var depth = 4
    public var rate = 0.05
    /// Parts in a leaf, at least.
    public var minRows = 12
    /// Share of the wholes that each tree sees, and of the features at each of its levels.
    public var sampling = 0.7
    public var columnShare = 0.6
    public var seed: UInt64 = 0
    /// Whether a whole costs something beside its parts.
    public var hasOffset = true
    /// Steps of the perceptron's training; without any there is none.
    public var networkSteps = 0
    public init() {}

    /// As kernels are learned.
    public static var kernels: Self {
      var options = Self()
      options.networkSteps = 600
      return options
    }
  }

  /// Learns from wholes alone: what each part takes is never measured by itself.
  ///
  /// Boosting on sums. The error of a whole is the logarithm of measured over predicted. If each of
  /// its parts is asked to change by that much, weighted by its share of the sum, a weighted least
  /// squares fit of trees lowers a bound on the squared error (Jensen), whatever the other parts of
  /// the whole do in the same round.
  ///
  /// - Parameters:
  ///   - wholes: parts of each, and its milliseconds.
  ///   - kinds: how many kinds there are.
  ///   - sharedTerms: how many terms, the last ones, have the same coefficient for all kinds.
  ///   - categories: features that are numbers of a category, and how many categories each has.
  ///   - progress: told the rounds done.
  /// - Throws: `badSamples` if there are too few, or a time isn't above zero.
  public init(
    fitting wholes: [(parts: [SumPart], time: Double)], kinds: Int, sharedTerms: Int = 0,
    categories: [Int: Int] = [:], options: Options = Options(), progress: (Int) -> Void = { _ in }
  ) throws {
    guard wholes.count >= 20, wholes.allSatisfy({ $0.time > 0 && $0.time.isFinite }) else {
      throw PredictorsError(
        .badSamples,
        "kernels are learned from 20 samples or more with latencies above zero, got \(wholes.count)"
      )
    }
    let base = Self.linear(
      wholes, kinds: kinds, sharedTerms: sharedTerms, hasOffset: options.hasOffset)
    coefficients = base.coefficients
    offset = base.offset
    trees = Array(repeating: TreeEnsemble(depth: options.depth), count: kinds)
    if options.networkSteps > 0 {
      network = try PartNetwork.train(
        wholes, base: wholes.map { $0.parts.map(self.base) }, offset: offset, kinds: kinds,
        categories: categories, options: options)
    }
    boost(wholes, options, progress)
  }

  /// The base alone: relative errors of the wholes in least squares.
  private static func linear(
    _ wholes: [(parts: [SumPart], time: Double)], kinds: Int, sharedTerms: Int, hasOffset: Bool
  ) -> (coefficients: [[Double]], offset: Double) {
    let terms = wholes.lazy.flatMap(\.parts).first?.terms.count ?? 0
    let own = terms - sharedTerms
    func column(_ kind: Int, _ term: Int) -> Int {
      term < own ? kind * own + term : kinds * own + term - own
    }
    let columns = kinds * own + sharedTerms
    var system = NonNegativeLeastSquares(columns: columns + 1)
    var isSeen = [Bool](repeating: false, count: kinds)
    for whole in wholes {
      var sums: [Int: Double] = hasOffset ? [columns: 1 / whole.time] : [:]
      for part in whole.parts {
        isSeen[part.kind] = true
        for (index, value) in part.terms.enumerated() where value != 0 {
          sums[column(part.kind, index), default: 0] += value / whole.time
        }
      }
      system.add(sums.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }, target: 1)
    }
    let solution = system.solve(ridge: 1e-6)
    return (
      (0..<kinds).map { kind in
        // As precise as files are, so that a file holds the same model.
        (0..<terms).map { isSeen[kind] ? Double(Float(solution[column(kind, $0)])) : 0 }
      }, solution[columns]
    )
  }

  private mutating func boost(
    _ wholes: [(parts: [SumPart], time: Double)], _ options: Options, _ progress: (Int) -> Void
  ) {
    var kinds = trees.indices.map { KindRows(kind: $0) }
    for (index, whole) in wholes.enumerated() {
      for part in whole.parts {
        kinds[part.kind].add(part, whole: index, logarithm: log(base(part)))
      }
    }
    let growers = kinds.map { kind in
      TreeGrower(
        data: BinnedFeatures(kind.features, columns: kind.features.first?.count ?? 0),
        depth: options.depth, minRows: options.minRows, columnShare: options.columnShare)
    }
    for round in 0..<options.rounds {
      var random = SeededGenerator(seed: options.seed, stream: "round \(round)")
      let isSeen = wholes.map { _ in random.nextUniform() < options.sampling }
      var sums = [Double](repeating: offset, count: wholes.count)
      for kind in kinds {
        for (row, whole) in kind.wholes.enumerated() { sums[whole] += exp(kind.logarithms[row]) }
      }
      // Outliers pull no more than an error of 65 %.
      let residuals = zip(wholes, sums).map { Float(max(-0.5, min(0.5, log($0.time / $1)))) }
      for kind in kinds.indices where kinds[kind].features.count >= 2 * options.minRows {
        let rows = kinds[kind].wholes.indices.filter { isSeen[kinds[kind].wholes[$0]] }
        let tree = growers[kind].grow(
          rows: rows.map { Int32($0) }, targets: kinds[kind].wholes.map { residuals[$0] },
          weights: kinds[kind].shares(sums), rate: options.rate, &random)
        trees[kind].append(
          features: tree.features, thresholds: tree.thresholds, leaves: tree.leaves)
        var last = TreeEnsemble(depth: options.depth)
        last.append(features: tree.features, thresholds: tree.thresholds, leaves: tree.leaves)
        for row in kinds[kind].features.indices {
          kinds[kind].logarithms[row] += last(kinds[kind].features[row])
        }
      }
      progress(round + 1)
    }
  }

  /// The parts of one kind.
  private struct KindRows {
    var kind: Int
    var features: [[Float]] = []
    var wholes: [Int] = []
    /// Of the predicted milliseconds so far.
    var logarithms: [Double] = []

    mutating func add(_ part: SumPart, whole: Int, logarithm: Double) {
      features.append(part.features)
      wholes.append(whole)
      logarithms.append(logarithm)
    }

    func shares(_ sums: [Double]) -> [Float] {
      zip(logarithms, wholes).map { Float(exp($0) / sums[$1]) }
    }
  }
}
