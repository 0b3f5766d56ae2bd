import Architectures

/// A tensor of a file: its type, and where its content is.
struct StoredTensor {
  enum Storage {
    /// Little-endian elements in the file.
    case raw(Range<Int>)
    /// Fixed-size (`float_data`, `double_data`) values in one or more pieces of the file.
    case fixed([Range<Int>])
    /// Variable-length numbers in one or more pieces of the file.
    case varints([Range<Int>])
    case strings([Range<Int>])
    /// Little-endian elements.
    case bytes([UInt8])
    /// One element, little-endian, over and over.
    case filled([UInt8])
    case external(ExternalData)
  }

  var name = ""
  var elementType = ElementType.float32
  var shape: [Int] = []
  var elementCount = 1
  var storage: Storage

  var type: TensorType { TensorType(shape, elementType) }

  /// Bytes of the whole content as little-endian elements.
  var byteCount: Int? {
    guard let bits = elementType.rawBits,
      case (let total, let overflow) = elementCount.multipliedReportingOverflow(by: bits), !overflow
    else { return nil }
    return (total + 7) / 8
  }
}

/// Where content outside the file is.
struct ExternalData {
  var location = ""
  var offset = 0
  var length: Int?
}

extension StoredTensor {
  /// Reads a tensor's message; its content is checked by size, not read.
  init(_ message: WireMessage, budget: inout ItemBudget) throws {
    var tensor = StoredTensor(storage: .strings([]))
    var code = 0
    var raw: Range<Int>?
    var pieces: [Int: [Range<Int>]] = [:]
    var external: [String: String] = [:]
    var isExternal = false
    try message.forEachField { field in
      switch field.number {
      case 1: try message.appendInts(field, to: &tensor.shape)
      case 2: code = try message.int(field)
      case 3: throw ONNXFormatError(.unsupported, "a tensor in segments is not supported")
      case 4, 5, 6, 7, 10, 11:
        try budget.spend()
        pieces[field.number, default: []].append(field.range)
      case 8: tensor.name = try message.string(field)
      case 9: raw = try message.bytes(field)
      case 13:
        let (key, value) = try message.message(field).keyAndValue()
        external[key] = value
      case 14: isExternal = try message.int(field) == 1
      default: break
      }
      guard tensor.shape.count <= ONNXLimits.rank else {
        throw ONNXFormatError(.tooLarge, "a tensor has more than \(ONNXLimits.rank) axes")
      }
    }
    func damaged(_ why: String) -> ONNXFormatError {
      ONNXFormatError(.malformed, "tensor \(quoted(tensor.name)): \(why)")
    }
    guard let type = ElementType(onnx: code) else {
      throw damaged("element type \(code) is not known")
    }
    tensor.elementType = type
    guard tensor.shape.allSatisfy({ $0 >= 0 }), let count = tensor.type.elementCount else {
      throw damaged("shape \(tensor.shape) is impossible")
    }
    tensor.elementCount = count
    if isExternal {
      tensor.storage = .external(try ExternalData(external, tensor: tensor.name))
    } else if let raw {
      guard let expected = tensor.byteCount, raw.count == expected else {
        throw damaged("\(raw.count) bytes for \(type.name) \(tensor.shape)")
      }
      tensor.storage = .raw(raw)
    } else {
      tensor.storage = try Self.typed(tensor, pieces, message.file) ?? .bytes([])
      let found = tensor.typedCount(message.file)
      guard found == tensor.typedCountExpected else {
        throw damaged("\(found) elements for \(type.name) \(tensor.shape)")
      }
    }
    self = tensor
  }

  /// Content in the message's typed fields.
  private static func typed(
    _ tensor: StoredTensor, _ pieces: [Int: [Range<Int>]], _ file: FileBytes
  ) throws -> Storage? {
    switch tensor.elementType {
    case .string: .strings(pieces[6] ?? [])
    case .float32, .other("complex64"): .fixed(pieces[4] ?? [])
    case .float64, .other("complex128"): .fixed(pieces[10] ?? [])
    case .int64: .varints(pieces[7] ?? [])
    case .uint32, .uint64: .varints(pieces[11] ?? [])
    default: .varints(pieces[5] ?? [])
    }
  }

  private var typedCountExpected: Int {
    switch elementType {
    case .other("uint4"), .other("int4"), .other("float4e2m1"): (elementCount + 1) / 2
    case .other("uint2"), .other("int2"): (elementCount + 3) / 4
    default: elementCount
    }
  }

  private func typedCount(_ file: FileBytes) -> Int {
    switch storage {
    case .strings(let pieces): pieces.count
    case .fixed(let pieces):
      // A rest of half an element counts as one too many.
      (pieces.reduce(0) { $0 + $1.count } * 8 + (elementType.rawBits ?? 8) - 1)
        / (elementType.rawBits ?? 8)
    case .varints(let pieces):
      pieces.reduce(0) { sum, piece in
        file.withBytes(piece) { sum + $0.count { $0 & 0x80 == 0 } }
      }
    default: 0
    }
  }
}

extension ExternalData {
  init(_ entries: [String: String], tensor: String) throws {
    func damaged(_ why: String) -> ONNXFormatError {
      ONNXFormatError(.malformed, "tensor \(quoted(tensor)): external data \(why)")
    }
    guard let location = entries["location"], !location.isEmpty else {
      throw damaged("has no location")
    }
    guard !location.hasPrefix("/"), !location.utf8.contains(0),
      !location.split(separator: "/", omittingEmptySubsequences: false).contains("..")
    else { throw damaged("\(quoted(location)) lies outside the model's folder") }
    self.location = location
    if let text = entries["offset"] {
      guard let value = Int(text), value >= 0 else {
        throw damaged("has offset \(quoted(text))")
      }
      offset = value
    }
    if let text = entries["length"] {
      guard let value = Int(text), value >= 0 else {
        throw damaged("has length \(quoted(text))")
      }
      length = value
    }
  }
}

extension WireMessage {
  /// A pair of strings (`StringStringEntryProto`).
  func keyAndValue() throws -> (String, String) {
    var (key, value) = ("", "")
    try forEachField { field in
      if field.number == 1 { key = try string(field) }
      if field.number == 2 { value = try string(field) }
    }
    return (key, value)
  }
}
