import ArgumentParser
import Foundation

/// A value of a JSON document; keys come out sorted, so that output can be compared.
indirect enum JSON: Encodable {
  case string(String)
  case number(Double)
  case integer(Int)
  case unsigned(UInt64)
  case bool(Bool)
  case array([JSON])
  case object([String: JSON])
  case null

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .string(let value): try container.encode(value)
    case .number(let value):
      value.isFinite ? try container.encode(value) : try container.encodeNil()
    case .integer(let value): try container.encode(value)
    case .unsigned(let value): try container.encode(value)
    case .bool(let value): try container.encode(value)
    case .array(let values): try container.encode(values)
    case .object(let values): try container.encode(values)
    case .null: try container.encodeNil()
    }
  }

  static func optional(_ value: Double?) -> JSON { value.map(JSON.number) ?? .null }
  static func optional(_ value: String?) -> JSON { value.map(JSON.string) ?? .null }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByArrayLiteral,
  ExpressibleByDictionaryLiteral
{
  init(stringLiteral value: String) { self = .string(value) }
  init(integerLiteral value: Int) { self = .integer(value) }
  init(arrayLiteral elements: JSON...) { self = .array(elements) }
  init(dictionaryLiteral elements: (String, JSON)...) {
    self = .object(Dictionary(uniqueKeysWithValues: elements))
  }
}

/// Results on stdout.
enum Output {
  /// One object with `schema` and `version`.
  static func json(_ schema: String, _ body: [String: JSON]) throws {
    var body = body
    body["schema"] = .string("swiftlet.\(schema)")
    body["version"] = 1
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    line(String(decoding: try encoder.encode(JSON.object(body)), as: UTF8.self))
  }

  static func line(_ text: String) { self.text(text + "\n") }

  /// Text that ends its own lines.
  static func text(_ text: String) {
    // Writing to a closed pipe (`| head`) is the reader's choice, not a failure.
    try? FileHandle.standardOutput.write(contentsOf: Data(text.utf8))
  }

  /// Columns aligned; numbers, by the look of the column's cells, to the right.
  static func table(_ header: [String], _ rows: [[String]]) {
    let widths = header.indices.map { column in
      ([header] + rows).map { $0[column].count }.max() ?? 0
    }
    let isNumber = header.indices.map { column in
      !rows.isEmpty
        && rows.allSatisfy { Double($0[column].split(separator: " ").first ?? "") != nil }
    }
    for row in [header] + rows {
      let cells = row.enumerated().map { column, cell in
        let padding = String(repeating: " ", count: widths[column] - cell.count)
        return isNumber[column] ? padding + cell : cell + padding
      }
      line(cells.joined(separator: "  ").trimmingSuffix(" "))
    }
  }

  static func millions(_ count: Int) -> String { String(format: "%.3f M", Double(count) / 1e6) }
  static func milliseconds(_ value: Double) -> String { String(format: "%.3f", value) }
  static func percent(_ value: Double) -> String { String(format: "%.2f", value * 100) }
}

extension String {
  fileprivate func trimmingSuffix(_ character: Character) -> String {
    var result = self[...]
    while result.last == character { result = result.dropLast() }
    return String(result)
  }
}

/// Format of a listing.
enum ListFormat: String, ExpressibleByArgument, CaseIterable { case table, json, csv }

/// Options that every command has.
struct CommonOptions: ParsableArguments {
  @Flag(help: "Print one JSON object instead of text.")
  var json = false
  @Flag(help: "No progress and no notes on stderr.")
  var quiet = false
}
