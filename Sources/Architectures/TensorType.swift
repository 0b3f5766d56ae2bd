/// One axis of a tensor.
public enum Dimension: Hashable, Sendable {
  case fixed(Int)
  /// A named axis of unknown length, such as `batch`.
  case symbolic(String)
  case unknown

  public var value: Int? {
    if case .fixed(let value) = self { return value }
    return nil
  }
}

extension Dimension: ExpressibleByIntegerLiteral {
  public init(integerLiteral value: Int) { self = .fixed(value) }
}

/// Element types by their ONNX names; anything that is not a tensor (sequence, map) is `other`.
public enum ElementType: Hashable, Sendable {
  case float32, float64, float16, bfloat16
  case int8, int16, int32, int64
  case uint8, uint16, uint32, uint64
  case bool, string
  case other(String)

  /// Simple types and their names, in one place for reading and writing.
  static let named: [(ElementType, String)] = [
    (.float32, "float32"), (.float64, "float64"), (.float16, "float16"), (.bfloat16, "bfloat16"),
    (.int8, "int8"), (.int16, "int16"), (.int32, "int32"), (.int64, "int64"),
    (.uint8, "uint8"), (.uint16, "uint16"), (.uint32, "uint32"), (.uint64, "uint64"),
    (.bool, "bool"), (.string, "string"),
  ]

  public var name: String {
    if case .other(let name) = self { return name }
    return Self.named.first { $0.0 == self }!.1
  }

  public init(name: String) {
    self = Self.named.first { $0.1 == name }?.0 ?? .other(name)
  }

  /// Bytes one element takes; `nil` where the type has no fixed size.
  public var byteCount: Int? {
    switch self {
    case .float64, .int64, .uint64: 8
    case .float32, .int32, .uint32: 4
    case .float16, .bfloat16, .int16, .uint16: 2
    case .int8, .uint8, .bool: 1
    case .string, .other: nil
    }
  }

  /// Bits one element takes where elements are packed, as in files; `nil` where that has no fixed
  /// size.
  public var rawBits: Int? {
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

  public var isFloatingPoint: Bool {
    switch self {
    case .float32, .float64, .float16, .bfloat16: true
    default: false
    }
  }
}

/// Element type and shape of a value; a `nil` shape means that not even the rank is known.
public struct TensorType: Hashable, Sendable {
  public var elementType: ElementType
  public var shape: [Dimension]?

  public init(_ shape: [Dimension]?, _ elementType: ElementType = .float32) {
    self.shape = shape
    self.elementType = elementType
  }

  public init(_ shape: [Int], _ elementType: ElementType = .float32) {
    self.init(shape.map(Dimension.fixed), elementType)
  }

  public static let unknown = TensorType(nil, .float32)

  /// The shape when every axis is known.
  public var fixedShape: [Int]? {
    guard let shape else { return nil }
    var result: [Int] = []
    result.reserveCapacity(shape.count)
    for dimension in shape {
      guard let value = dimension.value else { return nil }
      result.append(value)
    }
    return result
  }

  /// Number of elements, `nil` when unknown or beyond `Int`.
  public var elementCount: Int? {
    guard let shape = fixedShape else { return nil }
    var count = 1
    for dimension in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: dimension)
      if overflow { return nil }
      count = product
    }
    return count
  }
}
