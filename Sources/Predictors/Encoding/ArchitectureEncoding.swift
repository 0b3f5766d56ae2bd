/// What predictors read of a network: sums over its operators, numbers about its paths, and peaks.
/// The same network has the same encoding wherever it comes from.
///
/// The batch axis counts as the graph states it; an unknown one counts as one image.
public struct ArchitectureEncoding: Sendable, Equatable {
  /// Columns of the sums over live operators (``OperatorKind`` times physical quantity).
  public static let physical = 0..<LineEmbedding.physical
  /// Columns of the random Fourier features of the live operators.
  public static let waves = physical.upperBound..<LineEmbedding.count
  /// Columns of the sums over dead operators: those a runtime that prunes need not run.
  public static let dead = waves.upperBound..<(waves.upperBound + LineEmbedding.physical)
  /// Columns of ``Topology``.
  public static let topology = dead.upperBound..<(dead.upperBound + Topology.names.count)
  /// Columns of ``PathProfile``: what the ways through the network are like.
  public static let paths = topology.upperBound..<(topology.upperBound + PathProfile.names.count)
  /// Columns of the largest operator, by several measures.
  public static let peaks = paths.upperBound..<(paths.upperBound + peakNames.count)
  public static let count = peaks.upperBound
  /// A name for each column, such as `depthwise MMACs`.
  public static let names: [String] =
    LineEmbedding.names + LineEmbedding.names[physical].map { "dead \($0)" } + Topology.names
    + PathProfile.names + peakNames

  static let peakNames = ["peak MMACs", "peak activation MB", "peak weight MB", "peak channels"]
  static let quantities = LineEmbedding.quantities.count

  /// `[count]`
  public var values: [Double]

  static let zero = ArchitectureEncoding(values: Array(repeating: 0, count: count))

  /// Sum of one physical quantity over the live operators of some kinds, and over the dead ones too
  /// if asked.
  /// - Parameter quantity: 0 count, 1 MACs, 2 input, 3 output and 4 weight bytes (all but the count
  ///   in units of 2^20), 5 kernel area.
  public func total(
    _ quantity: Int, of kinds: [OperatorKind] = OperatorKind.allCases, dead: Bool = false
  ) -> Double {
    kinds.reduce(0) { sum, kind in
      let column = kind.rawValue * Self.quantities + quantity
      return sum + values[column] + (dead ? values[Self.dead.lowerBound + column] : 0)
    }
  }
}

/// The encoding of a part of a network that has one input and one output.
struct EncodedPart: Sendable, Equatable {
  var encoding: ArchitectureEncoding
  /// Whether the part's output depends on its input. If not, the rest of the network is constant.
  var passes: Bool
}

extension ArchitectureEncoding {
  /// What is left of an encoding when the network's output turns out not to depend on its input:
  /// every operator is dead.
  func withoutLife() -> ArchitectureEncoding {
    var result = ArchitectureEncoding.zero
    for column in Self.physical {
      result.values[Self.dead.lowerBound + column] =
        values[column] + values[Self.dead.lowerBound + column]
    }
    let (live, dead) = (Self.topology.lowerBound, Self.topology.lowerBound + 1)
    result.values[dead] = values[live] + values[dead]
    return result
  }
}
