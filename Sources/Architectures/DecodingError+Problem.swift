package import Foundation

extension DecodingError {
  /// Key and what is wrong, in one line: "key 'tables.0.file' is missing".
  package var problem: String {
    switch self {
    case .keyNotFound(let key, let context):
      return "\(Self.place(context.codingPath + [key])) is missing"
    case .typeMismatch(let type, let context), .valueNotFound(let type, let context):
      return "\(Self.place(context.codingPath)) must be \(Self.kind(type))"
    case .dataCorrupted(let context):
      return "\(Self.place(context.codingPath)): \(context.debugDescription)"
    @unknown default: return "cannot be decoded"
    }
  }

  /// As `problem`, of a value read from `json`. The decoder calls a text with a number that doesn't
  /// fit no JSON and names no key; here it is found.
  package func fullProblem<Value: Decodable>(decoding type: Value.Type, from json: Data) -> String {
    guard isWithoutKey, let value = try? JSONSerialization.jsonObject(with: json) else {
      return problem
    }
    var suspects: [String: NSNumber] = [:]
    _ = Self.changing(value) { place, number in
      suspects[place] = number
      return number
    }
    for (place, number) in suspects.sorted(by: { $0.key < $1.key }) {
      // Whether it fails alone.
      let alone = Self.changing(value) { $0 == place ? $1 : NSNumber(value: 1) }
      guard let data = try? JSONSerialization.data(withJSONObject: alone) else { continue }
      do {
        _ = try JSONDecoder().decode(type, from: data)
      } catch let error as DecodingError where error.isWithoutKey {
        let value = number.doubleValue
        let limit =
          abs(value) >= 0x1p63
          ? "is too large" : value == value.rounded() ? "must not be negative" : "must be whole"
        return "key '\(place)' \(limit): \(number.stringValue)"
      } catch {
        continue
      }
    }
    return problem
  }

  private var isWithoutKey: Bool {
    guard case .dataCorrupted(let context) = self else { return false }
    return context.codingPath.isEmpty
  }

  private static func place(_ path: [any CodingKey]) -> String {
    let keys = path.map { key in key.intValue.map { "\($0)" } ?? key.stringValue }
    return path.isEmpty ? "the whole" : "key '\(keys.joined(separator: "."))'"
  }

  private static func kind(_ type: Any.Type) -> String {
    switch type {
    case is any BinaryInteger.Type: "a whole number"
    case is any BinaryFloatingPoint.Type: "a number"
    case is Bool.Type: "true or false"
    case is String.Type: "a text"
    case is [Any].Type: "a list"
    case is [String: Any].Type: "an object"
    default: "of another kind"
    }
  }

  /// `value` with its numbers changed, each told by its key, except those that fit any kind: zero,
  /// one and other small whole ones. What is true or false stays so too.
  private static func changing(
    _ value: Any, at path: String = "", _ change: (String, NSNumber) -> NSNumber
  ) -> Any {
    func inner(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }
    if let object = value as? [String: Any] {
      var result: [String: Any] = [:]
      for (key, value) in object { result[key] = changing(value, at: inner(key), change) }
      return result
    }
    if let list = value as? [Any] {
      var result: [Any] = []
      for (index, value) in list.enumerated() {
        result.append(changing(value, at: inner("\(index)"), change))
      }
      return result
    }
    guard let number = value as? NSNumber else { return value }
    let double = number.doubleValue
    let fitsAny = double >= 0 && double < 0x1p63 && double == double.rounded()
    return fitsAny ? value : change(path, number)
  }
}
