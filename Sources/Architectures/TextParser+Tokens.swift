// The tokens of architecture text.
extension TextParser {
  func startsWith(_ token: String) -> Bool {
    bytes.count - at >= token.utf8.count
      && token.utf8.elementsEqual(bytes[at..<at + token.utf8.count])
  }

  mutating func accept(_ token: String) -> Bool {
    guard startsWith(token) else { return false }
    at += token.utf8.count
    return true
  }

  mutating func expect(_ token: String) throws {
    guard accept(token) else { throw error("'\(token == "\n" ? "a new line" : token)'") }
  }

  /// The plain name that starts here, without taking it.
  func peekWord() -> String? {
    var end = at
    while end < bytes.count, Self.isWord(bytes[end]) { end += 1 }
    return end > at ? String(decoding: bytes[at..<end], as: UTF8.self) : nil
  }

  func follows(_ word: String, _ token: Character) -> Bool {
    let next = at + word.utf8.count
    return next < bytes.count && bytes[next] == token.asciiValue
  }

  static func isWord(_ byte: UInt8) -> Bool {
    (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || byte == 95
  }

  mutating func plainName() throws -> String {
    guard let word = peekWord() else { throw error("a name") }
    at += word.utf8.count
    return word
  }

  mutating func name() throws -> String {
    at < bytes.count && bytes[at] == UInt8(ascii: "\"") ? try quoted() : try plainName()
  }

  mutating func quoted() throws -> String {
    try expect("\"")
    var result: [UInt8] = []
    while at < bytes.count {
      let byte = bytes[at]
      at += 1
      if byte == UInt8(ascii: "\"") { return String(decoding: result, as: UTF8.self) }
      guard byte == UInt8(ascii: "\\") else {
        result.append(byte)
        continue
      }
      if accept("n") {
        result.append(10)
      } else if accept("u{") {
        let start = at
        while at < bytes.count, bytes[at] != UInt8(ascii: "}"), at - start < 7 { at += 1 }
        guard let value = UInt32(String(decoding: bytes[start..<at], as: UTF8.self), radix: 16),
          let scalar = Unicode.Scalar(value)
        else { throw error("a code point in an escape") }
        try expect("}")
        result.append(contentsOf: Array(String(Character(scalar)).utf8))
      } else if accept("\"") || accept("\\") {
        result.append(bytes[at - 1])
      } else {
        throw error("an escape that is known")
      }
    }
    throw error("the quote that ends a string")
  }

  /// The characters of a number, `inf` and `nan` among them.
  mutating func number() throws -> String {
    var end = at
    while end < bytes.count,
      Self.isWord(bytes[end])
        || [UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: ".")]
          .contains(bytes[end])
    {
      end += 1
    }
    guard end > at else { throw error("a number") }
    defer { at = end }
    return String(decoding: bytes[at..<end], as: UTF8.self)
  }

  mutating func integer() throws -> Int {
    var end = at
    if end < bytes.count, bytes[end] == UInt8(ascii: "-") { end += 1 }
    while end < bytes.count, (48...57).contains(bytes[end]) { end += 1 }
    guard let value = Int(String(decoding: bytes[at..<end], as: UTF8.self)) else {
      throw error("an integer")
    }
    at = end
    return value
  }

  /// The length of an axis.
  mutating func axis() throws -> Dimension {
    guard at == bytes.count || bytes[at] != UInt8(ascii: "-") else {
      throw error("an axis of length 0 or more")
    }
    return .fixed(try integer())
  }

  /// `1x3x224x224`, `int64 2`, `"batch"x3`, `scalar`, `?`, `_` for an unknown axis.
  mutating func type() throws -> TensorType {
    var elementType = ElementType.float32
    if startsWith("other\"") {
      at += 5
      elementType = .other(try quoted())
      try expect(" ")
    } else if let word = peekWord(), word != "scalar",
      let known = ElementType.named.first(where: { $0.1 == word }), follows(word, " ")
    {
      elementType = known.0
      at += word.utf8.count + 1
    }
    if accept("?") { return TensorType(nil, elementType) }
    if accept("scalar") { return TensorType([Dimension](), elementType) }
    var shape: [Dimension] = []
    repeat {
      if accept("_") {
        shape.append(.unknown)
      } else if startsWith("\"") {
        shape.append(.symbolic(try quoted()))
      } else {
        shape.append(try axis())
      }
    } while accept("x")
    return TensorType(shape, elementType)
  }

  func error(_ expected: String) -> ArchitecturesError {
    let position = min(at, bytes.count)
    let before = bytes[..<position]
    let line = before.reduce(1) { $0 + ($1 == 10 ? 1 : 0) }
    let start = before.lastIndex(of: 10).map { $0 + 1 } ?? 0
    let found =
      String(decoding: bytes[position..<min(position + 20, bytes.count)], as: UTF8.self)
      .split(separator: "\n").first.map(String.init) ?? "the end"
    return ArchitecturesError(
      .invalidText,
      "architecture text, line \(line), column \(position - start + 1): expected \(expected) "
        + "at '\(found)'")
  }
}
