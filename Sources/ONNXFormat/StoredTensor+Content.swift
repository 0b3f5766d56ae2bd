import Architectures
import Foundation

extension StoredTensor {
  /// The whole content as little-endian elements; `nil` for strings.
  ///
  /// - Throws: `ONNXFormatError` when content outside the file is not there.
  func bytes(in file: FileBytes) throws -> [UInt8]? {
    guard let byteCount else { return nil }
    switch storage {
    case .strings: return nil
    case .raw(let range): return file.array(range)
    case .bytes(let bytes): return bytes
    case .filled(let element):
      guard byteCount <= 1 << 30, !element.isEmpty else {
        throw ONNXFormatError(.tooLarge, "tensor \(quoted(name)) takes \(byteCount) bytes")
      }
      var bytes: [UInt8] = []
      bytes.reserveCapacity(byteCount)
      while bytes.count < byteCount { bytes += element }
      return bytes
    case .fixed(let pieces): return pieces.flatMap { file.array($0) }
    case .varints(let pieces):
      let width = max(1, (elementType.rawBits ?? 8) / 8)
      var bytes: [UInt8] = []
      bytes.reserveCapacity(byteCount)
      for piece in pieces {
        var packed = WireMessage.Iterator(
          file: file, position: piece.lowerBound, end: piece.upperBound)
        while packed.position < packed.end {
          let value = try packed.varint()
          for byte in 0..<width {
            bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * byte)))
          }
        }
      }
      return bytes
    case .external(let external): return try external.bytes(count: byteCount, tensor: name, file)
    }
  }

  /// Content as integers, for boolean and integer types.
  func ints(in file: FileBytes) throws -> [Int]? {
    guard let bytes = try bytes(in: file) else { return nil }
    switch elementType {
    case .bool: return bytes.map { $0 == 0 ? 0 : 1 }
    case .uint8: return bytes.map(Int.init)
    case .int8: return bytes.map { Int(Int8(bitPattern: $0)) }
    case .uint16: return Self.words(bytes, UInt16.self).map(Int.init)
    case .int16: return Self.words(bytes, UInt16.self).map { Int(Int16(bitPattern: $0)) }
    case .uint32: return Self.words(bytes, UInt32.self).map(Int.init)
    case .int32: return Self.words(bytes, UInt32.self).map { Int(Int32(bitPattern: $0)) }
    case .int64, .uint64:
      return Self.words(bytes, UInt64.self).map { Int(truncatingIfNeeded: $0) }
    default: return nil
    }
  }

  /// Content as floating-point numbers, for floating-point types.
  func floats(in file: FileBytes) throws -> [Double]? {
    guard elementType.isFloatingPoint, let bytes = try bytes(in: file) else { return nil }
    switch elementType {
    case .float64: return Self.words(bytes, UInt64.self).map(Double.init(bitPattern:))
    case .float32: return Self.words(bytes, UInt32.self).map { Double(Float(bitPattern: $0)) }
    case .float16:
      return Self.words(bytes, UInt16.self).map { Double(HalfPrecision.value(bits: $0)) }
    default:
      return Self.words(bytes, UInt16.self).map { Double(HalfPrecision.value(brainBits: $0)) }
    }
  }

  private static func words<Word: FixedWidthInteger>(_ bytes: [UInt8], _: Word.Type) -> [Word] {
    let size = MemoryLayout<Word>.size
    return (0..<bytes.count / size).map { index in
      var word: Word = 0
      for byte in 0..<size { word |= Word(bytes[index * size + byte]) << Word(8 * byte) }
      return word
    }
  }

  /// What a structural constant keeps: small content in full, large content as a digest.
  func content(in file: FileBytes) throws -> ConstantContent {
    if case .strings(let pieces) = storage {
      if pieces.count <= ONNXLimits.constantElements,
        pieces.reduce(0, { $0 + $1.count }) <= ONNXLimits.stringBytes
      {
        let strings = pieces.map { piece in
          file.withBytes(piece) { String(validating: $0, as: UTF8.self) }
        }
        if !strings.contains(nil) { return .strings(strings.compactMap { $0 }) }
      }
      return .digest(
        Self.digest(pieces.flatMap { [UInt8]("\($0.count) ".utf8) + file.array($0) }))
    }
    if case .external(let external) = storage, external.url(file) == nil {
      return .digest("external \(external.location) \(external.offset)")
    }
    if elementCount <= ONNXLimits.constantElements {
      if let floats = try floats(in: file) { return .floats(floats) }
      if let ints = try ints(in: file) { return .ints(ints) }
    }
    if case .filled(let element) = storage { return .digest("filled " + Self.digest(element)) }
    if case .raw(let range) = storage { return .digest(file.withBytes(range) { Self.digest($0) }) }
    return .digest(Self.digest(try bytes(in: file) ?? []))
  }

  /// A 128-bit digest in hexadecimal, the same on every machine. It keeps different contents
  /// apart; it is no protection against somebody who wants two to meet.
  static func digest(_ bytes: some Collection<UInt8>) -> String {
    var low: UInt64 = 0xcbf2_9ce4_8422_2325
    var high: UInt64 = 0x9e37_79b9_7f4a_7c15
    for byte in bytes {
      low = (low ^ UInt64(byte)) &* 0x100_0000_01b3
      high = (high &+ UInt64(byte)) &* 0xbf58_476d_1ce4_e5b9
      high ^= high >> 29
    }
    return [low, high].map { word in
      let text = String(word, radix: 16)
      return String(repeating: "0", count: 16 - text.count) + text
    }.joined()
  }
}

extension ExternalData {
  /// The file with the content: inside the model's folder even after following links; `nil`
  /// where there is none.
  func url(_ file: FileBytes) -> URL? {
    guard let folder = file.folder?.resolvingSymlinksInPath() else { return nil }
    let url = folder.appending(path: location).resolvingSymlinksInPath()
    guard url.path.hasPrefix(folder.path == "/" ? "/" : folder.path + "/"),
      FileManager.default.fileExists(atPath: url.path)
    else { return nil }
    return url
  }

  func bytes(count: Int, tensor: String, _ file: FileBytes) throws -> [UInt8] {
    func missing(_ why: String) -> ONNXFormatError {
      ONNXFormatError(
        .missingWeights, "tensor \(quoted(tensor)): external data \(quoted(location)) \(why)")
    }
    guard let url = url(file) else { throw missing("is not in the model's folder") }
    guard length == nil || length == count else {
      throw missing("has \(length ?? 0) bytes, \(count) are needed")
    }
    let external = try FileBytes(url)
    guard offset <= external.count, external.count - offset >= count else {
      throw missing("is too short: \(external.count) bytes, \(count) are needed from \(offset)")
    }
    return external.array(offset..<offset + count)
  }
}
