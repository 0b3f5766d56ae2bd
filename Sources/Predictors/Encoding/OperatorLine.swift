internal import Architectures

/// One operator with what can be computed from its line of text: the unit that encodings add up.
public struct OperatorLine: Sendable {
  public var kind: OperatorKind
  /// Multiply-accumulates.
  public var macs: Int
  /// Bytes of computed operands, of results and of weights.
  public var inputBytes: Int
  public var outputBytes: Int
  public var weightBytes: Int
  /// Kernel height times width; 1 where there is none.
  public var kernelArea: Int
  public var stride: Int
  public var groups: Int
  /// Channels of operand and result.
  public var inputChannels: Int
  public var outputChannels: Int
  /// Height times width of the result.
  public var pixels: Int
  /// Operator type and the attributes that no number above stands for, as 64 bits.
  var signature: UInt64

  /// - Parameter cost: of this operator, as ``GraphCost`` counts it.
  init(_ node: Node, cost: OperatorCost, in graph: OperatorGraph) {
    kind = OperatorKind(node, in: graph)
    macs = cost.macs
    inputBytes = cost.inputBytes
    outputBytes = cost.activationBytes
    weightBytes = cost.weightBytes
    let weight = node.inputs.count > 1 ? node.inputs[1].map { graph.type(of: $0) } : nil
    let kernel =
      node.attributes.ints("kernel_shape")
      ?? (kind.rawValue <= OperatorKind.depthwise.rawValue
        ? weight?.fixedShape.map { Array($0.dropFirst(2)) } : nil)
    kernelArea =
      kernel?.reduce(1) { $0.multipliedReportingOverflow(by: max(1, $1)).partialValue } ?? 1
    stride = node.attributes.ints("strides")?.first ?? 1
    groups = node.attributes.int("group") ?? 1
    func shape(_ type: TensorType?) -> [Int] { type?.shape?.map { $0.value ?? 1 } ?? [] }
    let input = shape(node.inputs.first.flatMap { $0 }.map { graph.type(of: $0) })
    let output = shape(node.outputs.first)
    inputChannels = input.count > 1 ? input[1] : 1
    outputChannels = output.count > 1 ? output[1] : 1
    pixels = output.dropFirst(2).reduce(1) { $0.multipliedReportingOverflow(by: $1).partialValue }
    var text = node.domain + "::" + node.op
    let counted: Set<String> = ["kernel_shape", "strides", "group", "pads", "perm"]
    for name in node.attributes.keys.sorted() where !counted.contains(name) {
      text += " \(name)=\(node.attributes[name]!)"
    }
    signature = OperatorGraph.digest(ofLine: text)
  }
}
