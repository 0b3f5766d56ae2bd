public import Architectures

/// Networks by what people and samples call them.
public enum NetworkID {
  /// The id of a network that comes from no space: its text on one line.
  public static func text(_ graph: OperatorGraph) -> String {
    graph.text.split(separator: "\n").joined(separator: "; ")
  }

  /// The network that an id stands for when it is no architecture of a space: a family's variant
  /// (`family:NAME-NUMBER`) or a text on one line; `nil` otherwise.
  ///
  /// - Throws: `PredictorsError.badSamples`; `ArchitecturesError` for a text with a mistake.
  public static func free(_ id: String) throws -> OperatorGraph? {
    if let graph = try NetworkFamily.graph(id: id) { return graph }
    guard id.hasPrefix("Input1:") || id.hasPrefix("opset ") else { return nil }
    return try ArchitectureText.parse(id)
  }
}
