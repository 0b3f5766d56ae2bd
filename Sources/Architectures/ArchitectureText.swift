/// The canonical text of an architecture: one rendering of `OperatorGraph` that loses nothing.
///
/// In the style of ONNX-Net (arXiv 2510.04938): operators are chained with `-->`, weights appear
/// by shape, attributes and result shapes are spelled out. Unlike there, scalar attributes are
/// written, every result that is read more than once has a name, and the text reads back to the
/// graph it came from. Grammar: `Docs/architecture-text.md`.
/// ```
/// Input1:1x3x32x32
/// Conv(Input1, Param[16,3,3,3])(kernel_shape=3,pads=1) --> Relu(prev) --> Value1:1x16x32x32
/// Add(Value1, Value1) --> GlobalAveragePool(prev) --> Out1:1x16x1x1
/// ```
public struct ArchitectureText: Hashable, Sendable {
  public let text: String

  /// The text of `graph`, which is made canonical first.
  public init(_ graph: OperatorGraph) {
    self.init(canonical: graph.canonical())
  }

  /// The text of a graph that is known to be canonical.
  init(canonical graph: OperatorGraph) {
    var writer = TextWriter()
    writer.write(graph, separator: "\n")
    text = writer.result
  }

  /// The graph of a text.
  /// - Throws: `invalidText` with the line and what was expected there.
  public static func parse(_ text: String) throws -> OperatorGraph {
    var parser = TextParser(text)
    return try parser.graph()
  }
}

extension OperatorGraph {
  /// Canonical text, see `ArchitectureText`.
  public var text: String { ArchitectureText(self).text }
}

extension ArchitectureText {
  /// 128 bits of the text as 32 hexadecimal digits, the same on every machine.
  public var digest: String { StableHash.digest(text) }
}
