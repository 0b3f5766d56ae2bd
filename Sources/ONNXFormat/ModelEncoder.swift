import Architectures
import Foundation
import ONNXProto
import SwiftProtobuf

/// Turns a graph and its weights into the bytes of an ONNX file.
///
/// The message is put together by hand around the weights, so that each weight is written once,
/// in its place.
struct ModelEncoder {
  let graph: OperatorGraph
  let weights: any WeightSource
  let metadata: ONNXMetadata

  func bytes() throws -> [UInt8] {
    var encoder = GraphEncoder(weights: weights)
    let encoded = try encoder.encode(
      graph, name: metadata.graphName, outputNames: metadata.outputNames)
    let tensors = try encoded.parameters.map { named in
      let tensor = try TensorEncoder(named)
      let header: [UInt8] = try tensor.header().serializedBytes()
      return (tensor: tensor, header: header)
    }
    let head: [UInt8] = try model().serializedBytes()
    let body: [UInt8] = try encoded.message.serializedBytes()

    let tensorSizes = tensors.map { Self.size(header: $0.header.count, raw: $0.tensor.byteCount) }
    var graphSize = body.count
    for size in tensorSizes {
      graphSize =
        graphSize.addingReportingOverflow(
          1 + Self.varint(size).count + size
        ).partialValue
      guard (0..<Int(Int32.max)).contains(graphSize) else {
        throw ONNXFormatError(
          .tooLarge, "the network is larger than the 2 GiB that an ONNX file can hold")
      }
    }
    let graphPrefix = [UInt8(7 << 3 | 2)] + Self.varint(graphSize)
    let total = head.count + graphPrefix.count + graphSize

    return try [UInt8](unsafeUninitializedCapacity: total) { buffer, count in
      var position = 0
      func put(_ bytes: [UInt8]) {
        UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[position...])
          .copyBytes(from: bytes)
        position += bytes.count
      }
      put(head)
      put(graphPrefix)
      put(body)
      for ((tensor, header), size) in zip(tensors, tensorSizes) {
        put([UInt8(5 << 3 | 2)] + Self.varint(size) + header)
        guard tensor.byteCount > 0 else { continue }
        put([UInt8(9 << 3 | 2)] + Self.varint(tensor.byteCount))
        let place = UnsafeMutableRawBufferPointer(
          rebasing: UnsafeMutableRawBufferPointer(buffer)[position..<position + tensor.byteCount])
        var span = place.mutableBytes
        try tensor.write(weights, into: &span)
        position += tensor.byteCount
      }
      precondition(position == total)
      count = total
    }
  }

  /// Everything but the graph.
  private func model() -> Onnx_ModelProto {
    var model = Onnx_ModelProto()
    model.irVersion = Int64(ONNXMetadata.irVersion(forOpset: graph.opsets[""] ?? 1))
    model.producerName = metadata.producerName
    if !metadata.producerVersion.isEmpty { model.producerVersion = metadata.producerVersion }
    if !metadata.domain.isEmpty { model.domain = metadata.domain }
    if metadata.modelVersion != 0 { model.modelVersion = Int64(metadata.modelVersion) }
    if !metadata.documentation.isEmpty { model.docString = metadata.documentation }
    model.opsetImport = graph.opsets.sorted { $0.key < $1.key }.map { domain, version in
      var opset = Onnx_OperatorSetIdProto()
      opset.domain = domain
      opset.version = Int64(version)
      return opset
    }
    var properties = metadata.properties
    properties["weights"] = weights.provenance
    model.metadataProps = properties.sorted { $0.key < $1.key }.map { key, value in
      var property = Onnx_StringStringEntryProto()
      property.key = key
      property.value = value
      return property
    }
    return model
  }

  /// Size of a tensor's message from the size of its header and its raw content.
  private static func size(header: Int, raw: Int) -> Int {
    raw == 0 ? header : header + 1 + varint(raw).count + raw
  }

  /// A number in protobuf's variable-length form.
  private static func varint(_ value: Int) -> [UInt8] {
    var rest = UInt64(value)
    var bytes: [UInt8] = []
    while rest >= 0x80 {
      bytes.append(UInt8(rest & 0x7f) | 0x80)
      rest >>= 7
    }
    return bytes + [UInt8(rest)]
  }
}
