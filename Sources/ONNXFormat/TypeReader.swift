import Architectures
import Foundation
import ONNXProto
import SwiftProtobuf

/// Reads types of values.
enum TypeReader {
  private typealias Axis = Architectures.Dimension

  /// Name and type of a value (`ValueInfoProto`).
  static func valueInfo(
    _ message: WireMessage, budget: inout ItemBudget
  ) throws -> (name: String, type: TensorType) {
    let info: Onnx_ValueInfoProto = try decode(message, "a value's type")
    try budget.spend(1 + info.type.tensorType.shape.dim.count)
    let type = type(info.type)
    // Shapes spread to every result and are written out in texts.
    let symbols = (type.shape ?? []).reduce(0) { sum, axis in
      if case .symbolic(let symbol) = axis { sum + symbol.utf8.count } else { sum }
    }
    guard symbols <= ONNXLimits.symbolBytes, (type.shape ?? []).count <= ONNXLimits.rank else {
      throw ONNXFormatError(
        .tooLarge,
        "the shape of \(quoted(info.name)) has more than \(ONNXLimits.rank) axes or "
          + "\(ONNXLimits.symbolBytes) bytes of symbols")
    }
    return (info.name, type)
  }

  static func type(_ type: Onnx_TypeProto) -> TensorType {
    guard case .tensorType(let tensor)? = type.value else {
      return TensorType(nil, .other(name(type)))
    }
    let element = ElementType(onnx: Int(tensor.elemType)) ?? .other("unknown")
    guard tensor.hasShape else { return TensorType(nil, element) }
    return TensorType(dimensions(tensor.shape), element)
  }

  private static func dimensions(_ shape: Onnx_TensorShapeProto) -> [Axis] {
    shape.dim.map { dimension -> Axis in
      switch dimension.value {
      case .dimValue(let value) where value >= 0: .fixed(Int(value))
      case .dimParam(let symbol) where !symbol.isEmpty: .symbolic(symbol)
      default: .unknown
      }
    }
  }

  /// What is no tensor, in words: `sequence(float32[2,3])`.
  private static func name(_ type: Onnx_TypeProto) -> String {
    switch type.value {
    case .tensorType(let tensor)?: name(tensor.elemType, tensor.hasShape ? tensor.shape : nil)
    case .sequenceType(let sequence)?: "sequence(\(name(sequence.elemType)))"
    case .optionalType(let optional)?: "optional(\(name(optional.elemType)))"
    case .mapType(let map)?: "map(\(name(map.keyType, nil)),\(name(map.valueType)))"
    case .sparseTensorType(let tensor)?:
      "sparse(\(name(tensor.elemType, tensor.hasShape ? tensor.shape : nil)))"
    case .opaqueType(let opaque)?: "opaque(\(opaque.domain),\(opaque.name))"
    case nil: "unknown"
    }
  }

  private static func name(_ code: Int32, _ shape: Onnx_TensorShapeProto?) -> String {
    let element = ElementType(onnx: Int(code))?.name ?? "unknown"
    guard let shape else { return element }
    let axes = dimensions(shape).map { dimension in
      switch dimension {
      case .fixed(let value): String(value)
      case .symbolic(let symbol): symbol
      case .unknown: "?"
      }
    }
    return "\(element)[\(axes.joined(separator: ","))]"
  }

  /// Decodes a small message with the generated code.
  static func decode<Decoded: Message>(
    _ message: WireMessage, _ what: @autoclosure () -> String
  ) throws -> Decoded {
    do {
      return try Decoded(serializedBytes: message.file.array(message.range))
    } catch {
      throw ONNXFormatError(
        .malformed, "\(what()) at byte \(message.range.lowerBound) is damaged")
    }
  }
}
