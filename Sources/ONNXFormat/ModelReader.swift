import Architectures
import Foundation
import ONNXProto

/// Reads a whole model.
struct ModelReader {
  let file: FileBytes
  /// What the weights' provenance calls the file.
  let name: String

  func model() throws -> ONNXModel {
    guard file.count > 0 else {
      throw ONNXFormatError(.malformed, "not an ONNX model: the file is empty")
    }
    let message = WireMessage(file: file, range: 0..<file.count)
    var metadata = ONNXMetadata(irVersion: 0, producerName: "")
    var graph: WireMessage?
    var opsets: [String: Int] = [:]
    var reader = GraphReader(file: file)
    try message.forEachField { field in
      switch field.number {
      case 1: metadata.irVersion = try message.int(field)
      case 2: metadata.producerName = try message.string(field)
      case 3: metadata.producerVersion = try message.string(field)
      case 4: metadata.domain = try message.string(field)
      case 5: metadata.modelVersion = try message.int(field)
      case 6: metadata.documentation = try message.string(field)
      case 7:
        guard graph == nil else {
          throw ONNXFormatError(.malformed, "the model holds two graphs")
        }
        graph = try message.message(field)
      case 8:
        try reader.budget.spend()
        let (domain, version) = try opset(message.message(field))
        opsets[domain] = version
      case 14:
        try reader.budget.spend()
        let (key, value) = try message.message(field).keyAndValue()
        metadata.properties[key] = value
      case 20:
        throw ONNXFormatError(.unsupported, "training_info is not supported: export for inference")
      case 25:
        throw try function(message.message(field))
      default: break
      }
    }
    guard let graph else {
      throw ONNXFormatError(.malformed, "not an ONNX model: it holds no graph")
    }
    // Before the third format a file did not state it.
    if opsets.isEmpty { opsets[""] = 1 }
    reader.opset = opsets[""] ?? 1
    let result = try reader.read(graph)
    var read = result.graph
    read.opsets = opsets
    metadata.graphName = result.name
    metadata.outputNames = result.outputNames
    if let undeclared = reader.domains.sorted().first(where: { opsets[$0] == nil }) {
      throw ONNXFormatError(
        .invalidGraph, "operators of domain \(quoted(undeclared)) are used, but not its version")
    }
    var counts = reader.counts
    read = Normalisation.applied(to: read, fused: &counts.fused)
    counts.kept -= counts.fused
    var weights = ImportedWeights(file: file, provenance: "imported from \(name)")
    weights.tensors = reader.tensors
    if let origin = metadata.properties["weights"] { weights.provenance = origin }
    return ONNXModel(graph: read, metadata: metadata, weights: weights, nodeCounts: counts)
  }

  private func opset(_ message: WireMessage) throws -> (String, Int) {
    let stored: Onnx_OperatorSetIdProto = try TypeReader.decode(message, "an operator set")
    guard (1...100_000).contains(stored.version) else {
      throw ONNXFormatError(
        .malformed, "operator set \(quoted(stored.domain)) has version \(stored.version)")
    }
    return (stored.domain == "ai.onnx" ? "" : stored.domain, Int(stored.version))
  }

  private func function(_ message: WireMessage) throws -> ONNXFormatError {
    var name = ""
    try message.forEachField { field in
      if field.number == 1 { name = try message.string(field) }
    }
    return ONNXFormatError(
      .unsupported,
      "function \(quoted(name)): local functions are not supported; inline them first "
        + "(onnx.inliner.inline_local_functions)")
  }
}
