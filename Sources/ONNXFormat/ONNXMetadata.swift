/// What an ONNX model says beside its graph.
public struct ONNXMetadata: Hashable, Sendable {
  /// Version of the file format; writing picks the one that suits the operator set.
  public var irVersion: Int
  public var producerName: String
  public var producerVersion: String
  public var domain: String
  public var modelVersion: Int
  public var documentation: String
  public var graphName: String
  /// Free key and value pairs (`metadata_props`).
  public var properties: [String: String]
  /// Names of the graph's outputs, in order; writing invents those that are missing.
  public var outputNames: [String]

  public init(
    irVersion: Int = 8, producerName: String = "swiftlet", producerVersion: String = "",
    domain: String = "", modelVersion: Int = 0, documentation: String = "",
    graphName: String = "network", properties: [String: String] = [:], outputNames: [String] = []
  ) {
    self.irVersion = irVersion
    self.producerName = producerName
    self.producerVersion = producerVersion
    self.domain = domain
    self.modelVersion = modelVersion
    self.documentation = documentation
    self.graphName = graphName
    self.properties = properties
    self.outputNames = outputNames
  }

  /// The oldest file format that may carry operator set `opset`.
  static func irVersion(forOpset opset: Int) -> Int {
    switch opset {
    case ...18: 8
    case ...20: 9
    case ...22: 10
    case 23: 11
    case 24: 12
    default: 13
    }
  }
}
