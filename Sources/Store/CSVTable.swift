/// A table of text in the CSV form of RFC 4180: a header line, then one row a record.
///
/// Fields may be quoted, may contain commas, quotes (doubled) and line breaks. Lines end in LF or
/// CRLF; a leading byte order mark is skipped; blank lines are skipped. Reading is O(bytes).
public struct CSVTable: Equatable, Sendable {
  /// One record and the line of the file on which it starts (the header is line 1).
  public struct Row: Equatable, Sendable {
    public var line: Int
    public var fields: [String]

    public init(line: Int, fields: [String]) {
      self.line = line
      self.fields = fields
    }
  }

  public var header: [String]
  public var rows: [Row]

  public init(header: [String], rows: [[String]]) {
    self.header = header
    self.rows = rows.enumerated().map { Row(line: $0.offset + 2, fields: $0.element) }
  }

  /// Reads `text`; `file` is the name used in errors.
  ///
  /// - Throws: `StoreError` naming file and line: no header, an empty or repeated column name,
  ///   an unclosed or misplaced quote, a row of another width than the header.
  public init(parsing text: String, file: String) throws {
    var records = try Self.records(text, file: file)
    guard !records.isEmpty else { throw StoreError.csv(file, 1, "the file has no header line") }
    header = records.removeFirst().fields
    var seen: Set<String> = []
    for name in header {
      guard !name.isEmpty else { throw StoreError.csv(file, 1, "a column has no name") }
      guard seen.insert(name).inserted else {
        throw StoreError.csv(file, 1, "column '\(name)' occurs twice")
      }
    }
    for row in records where row.fields.count != header.count {
      throw StoreError.csv(
        file, row.line, "\(row.fields.count) fields where the header has \(header.count)")
    }
    rows = records
  }

  /// The table as text, lines ending in LF; fields are quoted where RFC 4180 asks for it.
  public var text: String {
    var out = ""
    for fields in [header] + rows.map(\.fields) {
      out += fields.map(Self.quoted).joined(separator: ",")
      out += "\n"
    }
    return out
  }

  private static func quoted(_ field: String) -> String {
    guard field.utf8.contains(where: { $0 == 34 || $0 == 44 || $0 == 10 || $0 == 13 }) else {
      return field
    }
    return "\""
      + field.split(separator: "\"", omittingEmptySubsequences: false)
      .joined(separator: "\"\"") + "\""
  }

  private static func records(_ text: String, file: String) throws -> [Row] {
    let quote = UInt8(ascii: "\"")
    let comma = UInt8(ascii: ",")
    let (lf, cr) = (UInt8(ascii: "\n"), UInt8(ascii: "\r"))
    let bytes = Array(text.utf8)
    var (at, line) = (bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0, 1)
    var rows: [Row] = []
    while at < bytes.count {
      let start = line
      var fields: [String] = []
      var isBlank = true
      while true {  // one field a turn
        var field: [UInt8] = []
        if at < bytes.count, bytes[at] == quote {
          isBlank = false
          at += 1
          while true {
            guard at < bytes.count else {
              throw StoreError.csv(file, start, "a quoted field is never closed")
            }
            if bytes[at] == quote {
              at += 1
              guard at < bytes.count, bytes[at] == quote else { break }
            }
            if bytes[at] == lf { line += 1 }
            field.append(bytes[at])
            at += 1
          }
        } else {
          while at < bytes.count, bytes[at] != comma, bytes[at] != lf, bytes[at] != cr {
            guard bytes[at] != quote else {
              throw StoreError.csv(
                file, line, "a quote inside a field that does not start with one")
            }
            isBlank = false
            field.append(bytes[at])
            at += 1
          }
        }
        fields.append(String(decoding: field, as: UTF8.self))
        guard at < bytes.count, bytes[at] == comma else { break }
        isBlank = false
        at += 1
      }
      if at < bytes.count, bytes[at] == cr { at += 1 }
      if at < bytes.count {
        guard bytes[at] == lf else {
          throw StoreError.csv(file, line, "text after a closing quote, or a lone carriage return")
        }
        at += 1
        line += 1
      }
      if !isBlank { rows.append(Row(line: start, fields: fields)) }
    }
    return rows
  }
}
