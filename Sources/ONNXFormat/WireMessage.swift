/// One protobuf message inside a file, field by field, without copying.
///
/// The messages that hold large or nested things (model, graph, node, attribute, tensor) are
/// walked with this; small ones are decoded by the generated code.
struct WireMessage {
  let file: FileBytes
  let range: Range<Int>

  struct Field {
    var number: Int
    /// Content of a variable-length or fixed-size number.
    var integer: UInt64
    /// Bytes of the value: a message's or string's content, or the encoded number.
    var range: Range<Int>
    /// Whether the value is a message, string or packed list.
    var isBytes: Bool
  }

  /// Fields until the end; throws where the bytes are no field.
  func forEachField(_ body: (Field) throws -> Void) throws {
    var iterator = Iterator(file: file, position: range.lowerBound, end: range.upperBound)
    while let field = try iterator.nextField() { try body(field) }
  }

  struct Iterator {
    let file: FileBytes
    var position: Int
    let end: Int

    mutating func nextField() throws -> Field? {
      guard position < end else { return nil }
      let tag = try varint()
      guard let number = Int(exactly: tag >> 3), number > 0, number < 1 << 29 else {
        throw malformed("no field")
      }
      let start = position
      switch tag & 7 {
      case 0:
        let value = try varint()
        return Field(number: number, integer: value, range: start..<position, isBytes: false)
      case 1:
        let value = try fixed(8)
        return Field(number: number, integer: value, range: start..<position, isBytes: false)
      case 5:
        let value = try fixed(4)
        return Field(number: number, integer: value, range: start..<position, isBytes: false)
      case 2:
        let length = try varint()
        guard length <= UInt64(end - position) else {
          throw ONNXFormatError(
            .malformed,
            "truncated or damaged at byte \(start): \(length) bytes announced, "
              + "\(end - position) left")
        }
        let content = position..<position + Int(length)
        position = content.upperBound
        return Field(number: number, integer: 0, range: content, isBytes: true)
      default:
        throw malformed("wire type \(tag & 7)")
      }
    }

    /// A number in variable-length form.
    mutating func varint() throws -> UInt64 {
      var value: UInt64 = 0
      var shift: UInt64 = 0
      while position < end, shift < 70 {
        let byte = file[position]
        position += 1
        if shift < 64 { value |= UInt64(byte & 0x7f) << shift }
        if byte & 0x80 == 0 { return value }
        shift += 7
      }
      throw malformed("a number without end")
    }

    private mutating func fixed(_ size: Int) throws -> UInt64 {
      guard end - position >= size else { throw malformed("half a number") }
      var value: UInt64 = 0
      for offset in 0..<size { value |= UInt64(file[position + offset]) << UInt64(8 * offset) }
      position += size
      return value
    }

    private func malformed(_ what: String) -> ONNXFormatError {
      ONNXFormatError(
        .malformed, "not an ONNX model, truncated or damaged: \(what) at byte \(position)")
    }
  }

  /// The bytes of a field that must be a message.
  func message(_ field: Field) throws -> WireMessage {
    WireMessage(file: file, range: try bytes(field))
  }

  func bytes(_ field: Field) throws -> Range<Int> {
    guard field.isBytes else {
      throw ONNXFormatError(
        .malformed,
        "not an ONNX model or damaged: field \(field.number) is a number at byte "
          + "\(field.range.lowerBound)")
    }
    return field.range
  }

  func string(_ field: Field) throws -> String {
    let range = try bytes(field)
    guard let text = file.withBytes(range, { String(validating: $0, as: UTF8.self) }) else {
      throw ONNXFormatError(
        .malformed, "not an ONNX model or damaged: no UTF-8 text at byte \(range.lowerBound)")
    }
    return text
  }

  func int(_ field: Field) throws -> Int {
    guard !field.isBytes else {
      throw ONNXFormatError(
        .malformed,
        "not an ONNX model or damaged: field \(field.number) is no number at byte "
          + "\(field.range.lowerBound)")
    }
    return Int(truncatingIfNeeded: field.integer)
  }

  /// Appends the numbers of a repeated field, packed or not.
  func appendInts(_ field: Field, to values: inout [Int]) throws {
    guard field.isBytes else { return values.append(try int(field)) }
    var packed = Iterator(
      file: file, position: field.range.lowerBound, end: field.range.upperBound)
    while packed.position < packed.end {
      values.append(Int(truncatingIfNeeded: try packed.varint()))
    }
  }
}
