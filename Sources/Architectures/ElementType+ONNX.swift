extension ElementType {
  /// ONNX's numbers of the element types (`TensorProto.DataType`).
  private static let codes: [(ElementType, Int)] = [
    (.float32, 1), (.uint8, 2), (.int8, 3), (.uint16, 4), (.int16, 5), (.int32, 6), (.int64, 7),
    (.string, 8), (.bool, 9), (.float16, 10), (.float64, 11), (.uint32, 12), (.uint64, 13),
    (.other("complex64"), 14), (.other("complex128"), 15), (.bfloat16, 16),
    (.other("float8e4m3fn"), 17), (.other("float8e4m3fnuz"), 18), (.other("float8e5m2"), 19),
    (.other("float8e5m2fnuz"), 20), (.other("uint4"), 21), (.other("int4"), 22),
    (.other("float4e2m1"), 23), (.other("float8e8m0"), 24), (.other("uint2"), 25),
    (.other("int2"), 26), (.other("float6e2m3"), 27), (.other("float6e3m2"), 28),
  ]

  private static let byCode = [Int: ElementType](
    uniqueKeysWithValues: codes.map { ($0.1, $0.0) })
  private static let toCode = [ElementType: Int](uniqueKeysWithValues: codes)

  /// The type with ONNX's number `code`; `nil` for a number that names no type.
  public init?(onnx code: Int) {
    guard let type = Self.byCode[code] else { return nil }
    self = type
  }

  /// ONNX's number; `nil` for what is no tensor.
  public var onnx: Int? { Self.toCode[self] }
}
