/// Bounds that keep reading a hostile file cheap. Every real network is far inside them.
enum ONNXLimits {
  /// Nodes, operands, attributes, tensors, shapes and list elements of one file together.
  static let items = 10_000_000
  /// Subgraphs inside subgraphs.
  static let nesting = 32
  /// Axes of a tensor.
  static let rank = 64
  /// Names of all symbolic axes of a shape together.
  static let symbolBytes = 1000
  /// Elements of an integer, boolean or string constant that are kept; larger ones become a digest.
  static let constantElements = 1024
  /// Bytes of a string constant that are kept.
  static let stringBytes = 65_536
  /// Longest name that a message repeats, in characters.
  static let quotedCharacters = 100
}

/// Counts what a file holds against `ONNXLimits.items`.
struct ItemBudget {
  private var left = ONNXLimits.items

  mutating func spend(_ count: Int = 1) throws {
    left -= count
    guard left >= 0 else {
      throw ONNXFormatError(
        .tooLarge, "more than \(ONNXLimits.items) nodes, operands, attributes and list elements")
    }
  }
}

/// A name from a file for a message: quoted, on one line, of bounded length.
func quoted(_ name: String) -> String {
  var text = "'"
  for character in name.prefix(ONNXLimits.quotedCharacters) {
    for scalar in character.unicodeScalars {
      if scalar.properties.generalCategory == .control || scalar.value == 0x2028
        || scalar.value == 0x2029
      {
        text += "\\u{\(String(scalar.value, radix: 16))}"
      } else {
        text.unicodeScalars.append(scalar)
      }
    }
    if text.utf8.count > 4 * ONNXLimits.quotedCharacters { break }
  }
  return text + (name.count > ONNXLimits.quotedCharacters ? "...'" : "'")
}
