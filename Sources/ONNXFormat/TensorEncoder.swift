import Architectures
import Foundation
import ONNXProto

/// Turns one parameter into a tensor message.
struct TensorEncoder {
  private let named: GraphEncoder.NamedParameter
  private let shape: [Int]
  private let elementCount: Int
  /// Bytes of the raw content; 0 for strings.
  let byteCount: Int

  init(_ named: GraphEncoder.NamedParameter) throws {
    let type = named.parameter.type
    let refused = { (why: String) in
      ONNXFormatError(.unsupported, "parameter '\(named.name)': \(why)")
    }
    guard let shape = type.fixedShape, let count = type.elementCount, count >= 0 else {
      throw refused("its shape is not known")
    }
    guard type.elementType.onnx != nil else {
      throw refused("\(type.elementType.name) is no tensor type")
    }
    self.named = named
    self.shape = shape
    elementCount = count
    if type.elementType == .string {
      byteCount = 0
    } else {
      guard let bits = type.elementType.rawBits,
        case (let total, let overflow) = count.multipliedReportingOverflow(by: bits), !overflow
      else { throw refused("\(type.elementType.name) has no raw form") }
      byteCount = (total + 7) / 8
    }
  }

  /// The message without its raw content.
  func header() throws -> Onnx_TensorProto {
    var tensor = Onnx_TensorProto()
    if !named.name.isEmpty { tensor.name = named.name }
    tensor.dims = shape.map(Int64.init)
    tensor.dataType = Int32(named.parameter.type.elementType.onnx ?? 0)
    if named.parameter.type.elementType == .string {
      guard case .strings(let strings)? = named.parameter.constant, strings.count == elementCount
      else { throw wrongContent() }
      tensor.stringData = strings.map { Data($0.utf8) }
    }
    return tensor
  }

  /// The whole message.
  func message(_ weights: any WeightSource) throws -> Onnx_TensorProto {
    var tensor = try header()
    guard named.parameter.type.elementType != .string else { return tensor }
    var bytes = [UInt8](repeating: 0, count: byteCount)
    var span = bytes.mutableSpan
    var raw = span.mutableBytes
    try write(weights, into: &raw)
    tensor.rawData = Data(bytes)
    return tensor
  }

  /// Writes the raw content, exactly `byteCount` bytes.
  func write(_ weights: any WeightSource, into bytes: inout MutableRawSpan) throws {
    let type = named.parameter.type.elementType
    switch named.parameter.constant {
    case nil, .digest:
      // Sources know the graph's name, which the file's may differ from to be unique.
      let label = named.parameter.name.text
      try weights.write(
        Weight(
          name: label.isEmpty ? named.name : label, elementType: type, shape: shape,
          role: named.role), into: &bytes)
    case .floats(let values) where type.isFloatingPoint && values.count == elementCount:
      if type == .float64 {
        for (index, value) in values.enumerated() { store(value.bitPattern, index, &bytes) }
      } else {
        fill(&bytes, type) { Float(values[$0]) }
      }
    case .ints(let values) where values.count == elementCount:
      for (index, value) in values.enumerated() {
        switch type {
        case .int64, .uint64: store(UInt64(truncatingIfNeeded: value), index, &bytes)
        case .int32, .uint32: store(UInt32(truncatingIfNeeded: value), index, &bytes)
        case .int16, .uint16: store(UInt16(truncatingIfNeeded: value), index, &bytes)
        case .int8, .uint8, .bool: store(UInt8(truncatingIfNeeded: value), index, &bytes)
        default: throw wrongContent()
        }
      }
    default:
      throw wrongContent()
    }
  }

  private func store<Word: FixedWidthInteger & BitwiseCopyable>(
    _ word: Word, _ index: Int, _ bytes: inout MutableRawSpan
  ) {
    bytes.storeBytes(
      of: word.littleEndian, toByteOffset: index * MemoryLayout<Word>.size, as: Word.self)
  }

  private func wrongContent() -> ONNXFormatError {
    ONNXFormatError(
      .invalidGraph,
      "parameter '\(named.name)': its content does not fit its type and shape")
  }
}
