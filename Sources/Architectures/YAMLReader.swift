package import Yams

/// Strict reading of YAML mappings: every key is known, every value of its kind, every error
/// says file, line and key.
package struct YAMLReader {
  package let file: String
  package let node: Yams.Node.Mapping
  package let line: Int
  package let what: String

  /// The top of a file.
  /// - Throws: `invalidSpace` if it is no YAML or no mapping.
  package init(yaml: String, file: String, what: String) throws {
    let root: Yams.Node?
    do {
      root = try Yams.compose(yaml: yaml)
    } catch let error as YamlError {
      throw Self.error(file, error.line, error.summary)
    }
    guard let root else { throw Self.error(file, 1, "the file is empty") }
    try self.init(root, file: file, what: what)
  }

  package init(_ node: Yams.Node, file: String, what: String) throws {
    guard case .mapping(let mapping) = node else {
      throw Self.error(file, node.mark?.line ?? 1, "\(what) must be a mapping of keys to values")
    }
    self.node = mapping
    self.file = file
    self.what = what
    line = node.mark?.line ?? 1
    var seen = Set<String>()
    for (key, _) in mapping where !seen.insert(key.string ?? "").inserted {
      throw Self.error(file, key.mark?.line ?? line, "key '\(key.string ?? "")' stands twice")
    }
  }

  package static func error(_ file: String, _ line: Int, _ message: String) -> ArchitecturesError {
    ArchitecturesError(.invalidSpace, "\(file):\(line): \(message)")
  }

  package func error(_ key: String, _ message: String) -> ArchitecturesError {
    let mark = node[Yams.Node(key)]?.mark ?? node.first { $0.key.string == key }?.key.mark
    return Self.error(file, mark?.line ?? line, "\(key): \(message)")
  }

  /// - Throws: `invalidSpace` naming the first key that is not among `known`.
  package func allow(_ known: [String]) throws {
    for (key, _) in node where !known.contains(key.string ?? "") {
      let name = key.string ?? "?"
      let near = known.min { distance($0, name) < distance($1, name) }
      let hint = near.map { distance($0, name) <= 2 ? "; did you mean '\($0)'?" : "" } ?? ""
      throw Self.error(
        file, key.mark?.line ?? line,
        "unknown key '\(name)' in \(what)\(hint.isEmpty ? "; known: \(known.joined(separator: ", "))" : hint)"
      )
    }
  }

  package func has(_ key: String) -> Bool { node[Yams.Node(key)] != nil }

  package func value(_ key: String) throws -> Yams.Node {
    guard let value = node[Yams.Node(key)] else {
      throw Self.error(file, line, "\(what) needs the key '\(key)'")
    }
    return value
  }

  package func string(_ key: String, default fallback: String? = nil) throws -> String {
    if let fallback, !has(key) { return fallback }
    guard let string = try value(key).string else { throw error(key, "must be a string") }
    return string
  }

  package func bool(_ key: String, default fallback: Bool) throws -> Bool {
    guard has(key) else { return fallback }
    guard let bool = try value(key).bool else { throw error(key, "must be true or false") }
    return bool
  }

  package func number(_ key: String, default fallback: Double? = nil) throws -> Double {
    if let fallback, !has(key) { return fallback }
    guard let number = try value(key).float, number.isFinite else {
      throw error(key, "must be a number")
    }
    return number
  }

  /// A whole number in `range`.
  package func integer(
    _ key: String, default fallback: Int? = nil, in range: ClosedRange<Int> = 1...65_536
  ) throws -> Int {
    if let fallback, !has(key) { return fallback }
    guard let value = try value(key).int, range.contains(value) else {
      throw error(key, "must be a whole number in \(range.lowerBound)...\(range.upperBound)")
    }
    return value
  }

  /// One number, a list of numbers, or `{from, to, step}`; 1 to 255 different ones.
  package func choices(_ key: String, default fallback: [Double]? = nil) throws -> [Double] {
    if let fallback, !has(key) { return fallback }
    let node = try value(key)
    var result: [Double] = []
    switch node {
    case .scalar:
      result = [try number(key)]
    case .sequence(let sequence):
      for element in sequence {
        guard let number = element.float, number.isFinite else {
          throw error(key, "must be numbers")
        }
        result.append(number)
      }
    default:
      let range = try YAMLReader(node, file: file, what: key)
      try range.allow(["from", "to", "step"])
      let (from, to) = (try range.integer("from"), try range.integer("to"))
      let step = try range.integer("step")
      guard from <= to, (to - from) / step < 255 else {
        throw error(key, "from \(from) to \(to) by \(step) must give 1 to 255 values")
      }
      result = stride(from: from, through: to, by: step).map(Double.init)
    }
    guard (1...255).contains(result.count), Set(result).count == result.count,
      result.allSatisfy({ $0 >= 0 })
    else { throw error(key, "needs 1 to 255 different numbers, none negative") }
    return result
  }

  package func integers(_ key: String, default fallback: [Int]? = nil) throws -> [Int] {
    let numbers = try choices(key, default: fallback?.map(Double.init))
    guard numbers.allSatisfy({ $0 == $0.rounded() && $0 <= 65_536 }) else {
      throw error(key, "must be whole numbers")
    }
    return numbers.map { Int($0) }
  }

  package func sequence(_ key: String) throws -> [Yams.Node] {
    guard case .sequence(let sequence) = try value(key), !sequence.isEmpty else {
      throw error(key, "must be a list that is not empty")
    }
    return Array(sequence)
  }

  package func choice<Value: RawRepresentable & CaseIterable>(
    _ key: String, default fallback: Value
  ) throws -> Value where Value.RawValue == String {
    guard has(key) else { return fallback }
    guard let value = Value(rawValue: try string(key)) else {
      let known = Value.allCases.map(\.rawValue).joined(separator: ", ")
      throw error(key, "must be one of \(known)")
    }
    return value
  }
}

extension YamlError {
  fileprivate var line: Int {
    switch self {
    case .scanner(_, _, let mark, _), .parser(_, _, let mark, _), .composer(_, _, let mark, _):
      mark.line
    case .duplicatedKeysInMapping(_, let context): context.mark.line
    default: 1
    }
  }

  fileprivate var summary: String {
    switch self {
    case .scanner(_, let problem, _, _), .parser(_, let problem, _, _),
      .composer(_, let problem, _, _):
      problem
    case .duplicatedKeysInMapping(let keys, _):
      "key '\(keys.sorted().joined(separator: ", "))' stands twice"
    default: "this is no YAML"
    }
  }
}

/// Edit distance, to guess the key that a typo meant.
func distance(_ a: String, _ b: String) -> Int {
  let (a, b) = (Array(a.utf8), Array(b.utf8))
  var row = Array(0...b.count)
  for i in a.indices {
    var diagonal = row[0]
    row[0] = i + 1
    for j in b.indices {
      let cost = a[i] == b[j] ? diagonal : 1 + min(diagonal, row[j], row[j + 1])
      diagonal = row[j + 1]
      row[j + 1] = cost
    }
  }
  return row[b.count]
}
