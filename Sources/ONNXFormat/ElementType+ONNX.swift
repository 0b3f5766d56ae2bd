import Architectures
import ONNXProto

extension ElementType {
  private static let codes: [(ElementType, Onnx_TensorProto.DataType)] = [
    (.float32, .float), (.uint8, .uint8), (.int8, .int8), (.uint16, .uint16), (.int16, .int16),
    (.int32, .int32), (.int64, .int64), (.string, .string), (.bool, .bool), (.float16, .float16),
    (.float64, .double), (.uint32, .uint32), (.uint64, .uint64), (.bfloat16, .bfloat16),
    (.other("complex64"), .complex64), (.other("complex128"), .complex128),
    (.other("float8e4m3fn"), .float8E4M3Fn), (.other("float8e4m3fnuz"), .float8E4M3Fnuz),
    (.other("float8e5m2"), .float8E5M2), (.other("float8e5m2fnuz"), .float8E5M2Fnuz),
    (.other("float8e8m0"), .float8E8M0), (.other("float4e2m1"), .float4E2M1),
    (.other("float6e2m3"), .float6E2M3), (.other("float6e3m2"), .float6E3M2),
    (.other("uint4"), .uint4), (.other("int4"), .int4), (.other("uint2"), .uint2),
    (.other("int2"), .int2),
  ]

  private static let byCode = [Int: ElementType](
    uniqueKeysWithValues: codes.map { ($0.1.rawValue, $0.0) })
  private static let toCode = [ElementType: Int](
    uniqueKeysWithValues: codes.map { ($0.0, $0.1.rawValue) })

  /// The type with ONNX's number `code`; `nil` for a number that names no type.
  init?(onnx code: Int) {
    guard let type = Self.byCode[code] else { return nil }
    self = type
  }

  /// ONNX's number; `nil` for what is no tensor.
  var onnx: Int? { Self.toCode[self] }

  /// Bits one element takes in a file's raw content; `nil` where that has no fixed size.
  var rawBits: Int? {
    if let byteCount { return 8 * byteCount }
    guard case .other(let name) = self else { return nil }
    switch name {
    case "complex64": return 64
    case "complex128": return 128
    case "uint4", "int4", "float4e2m1": return 4
    case "uint2", "int2": return 2
    case let name where name.hasPrefix("float8"): return 8
    default: return nil
    }
  }
}
