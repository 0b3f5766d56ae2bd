public import Architectures

/// A model read from an ONNX file.
public struct ONNXModel: Sendable {
  public var graph: OperatorGraph
  public var metadata: ONNXMetadata
  /// The file's weights, by the names of the graph's parameters.
  public var weights: ImportedWeights
  /// What became of the file's nodes.
  public var nodeCounts: NodeCounts

  /// Every node of a file is in exactly one of these, those of subgraphs included.
  public struct NodeCounts: Hashable, Sendable {
    /// Nodes of the graph.
    public var kept = 0
    /// `Constant` nodes, which became parameters.
    public var constants = 0
    /// Nodes that pass their operand on: `Identity`, `Dropout` outside of training.
    public var bypassed = 0
    /// Nodes whose result is known without running the network, which became parameters.
    public var folded = 0
    /// Nodes that another one took in, see the normalisations in `Docs/onnx.md`.
    public var fused = 0

    public var total: Int { kept + constants + bypassed + folded + fused }
  }
}

/// Weights of a file that was read; they are fetched from it when they are asked for.
public struct ImportedWeights: WeightSource {
  let file: FileBytes
  var tensors: [String: StoredTensor] = [:]
  public var provenance: String

  init(file: FileBytes, provenance: String) {
    self.file = file
    self.provenance = provenance
  }

  /// Names of the tensors there are.
  public var names: [String] { tensors.keys.sorted() }

  /// Little-endian elements of the tensor `name`; `nil` if there is no such tensor.
  ///
  /// - Throws: `ONNXFormatError` when content outside the file is not there.
  public func bytes(_ name: String) throws -> [UInt8]? {
    try tensors[name]?.bytes(in: file)
  }

  /// Elements of the tensor `name` as float32; `nil` if there is no such floating-point tensor.
  ///
  /// - Throws: `ONNXFormatError` when content outside the file is not there.
  public func floats(_ name: String) throws -> [Float]? {
    try tensors[name]?.floats(in: file)?.map(Float.init)
  }

  public func write(_ weight: Weight, into bytes: inout MutableRawSpan) throws {
    guard let tensor = tensors[weight.name] else {
      throw ONNXFormatError(.missingWeights, "there is no weight \(quoted(weight.name))")
    }
    guard tensor.elementType == weight.elementType, tensor.shape == weight.shape else {
      throw ONNXFormatError(
        .missingWeights,
        "weight \(quoted(weight.name)) is \(tensor.elementType.name) \(tensor.shape), "
          + "\(weight.elementType.name) \(weight.shape) is needed")
    }
    if case .raw(let range) = tensor.storage, range.count == bytes.byteCount {
      file.withBytes(range) { source in
        bytes.withUnsafeMutableBytes { $0.copyMemory(from: source) }
      }
      return
    }
    guard let content = try tensor.bytes(in: file), content.count == bytes.byteCount else {
      throw ONNXFormatError(
        .missingWeights, "weight \(quoted(weight.name)): its content does not fit its shape")
    }
    bytes.withUnsafeMutableBytes { $0.copyBytes(from: content) }
  }
}
