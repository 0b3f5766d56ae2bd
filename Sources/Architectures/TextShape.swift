/// Types as architecture text writes them: `1x3x224x224`, `int64 2`, `Nx?x4`, `scalar`, `?`.
enum TextShape {
  static func text(_ type: TensorType) -> String {
    let shape = text(type.shape)
    return type.elementType == .float32 ? shape : "\(name(type.elementType)) \(shape)"
  }

  static func text(_ shape: [Dimension]?) -> String {
    guard let shape else { return "?" }
    if shape.isEmpty { return "scalar" }
    return shape.map { dimension in
      switch dimension {
      case .fixed(let value): String(value)
      case .symbolic(let name): quotedSymbol(name)
      case .unknown: "_"
      }
    }.joined(separator: "x")
  }

  private static func name(_ type: ElementType) -> String {
    if case .other(let name) = type { return "other\(TextString.quote(name))" }
    return type.name
  }

  /// A symbol is always quoted, so that it can hold `x` or digits.
  private static func quotedSymbol(_ name: String) -> String { TextString.quote(name) }
}

/// Quoted strings with escapes, the same in every place of a text.
enum TextString {
  static func quote(_ string: String) -> String {
    var result = "\""
    for scalar in string.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      default:
        if scalar.value < 0x20 || scalar.value == 0x7f {
          result += "\\u{" + String(scalar.value, radix: 16) + "}"
        } else {
          result.unicodeScalars.append(scalar)
        }
      }
    }
    return result + "\""
  }
}
