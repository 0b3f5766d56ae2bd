import Architectures
import Foundation

/// Readers of the lookup tables that others published.
public enum PublishedTable: String, Sendable, CaseIterable {
  /// Once-for-All (han-cai/files): a folder of `<resolution>_lookup_table.yaml`, or one of them.
  case ofa
  /// ProxylessNAS (`mobile_trim.yaml`); also the library default of Once-for-All.
  case proxylessnas
  /// NSGANetV2 (`i7-8700K_lut.yaml`).
  case nsganetv2
  /// Single-Path NAS (`pixel1_runtime_model.json`); keys become `block:B-op:3x3-e3`.
  case singlepath

  /// Reads the table at `path`. Latencies are means, in milliseconds, as published.
  ///
  /// - Throws: `DevicesError.badTable` with file and line.
  public func read(path: String, space: String, device: String) throws -> LookupTable {
    var provenance = LookupTable.Provenance(device: device)
    provenance.source = "\(rawValue): \(URL(fileURLWithPath: path).lastPathComponent)"
    var table = LookupTable(space: space, provenance: provenance)
    switch self {
    case .ofa:
      table.keysNameResolution = true
      for file in try Self.resolutionFiles(path) {
        for (key, entry) in try Self.flatYAML(Self.text(file.path), file: file.path) {
          table.entries["\(file.resolution)/\(key)"] = entry
        }
      }
    case .proxylessnas, .nsganetv2:
      table.entries = try Self.flatYAML(Self.text(path), file: path)
    case .singlepath:
      table.entries = try Self.singlePathJSON(Self.text(path), file: path)
    }
    return table
  }

  private static func text(_ path: String) throws -> String {
    guard let data = FileManager.default.contents(atPath: path),
      let text = String(data: data, encoding: .utf8)
    else { throw DevicesError(.badTable, "\(path): cannot be read as text") }
    return text
  }

  /// The `<resolution>_lookup_table.yaml` files at `path`, by resolution.
  private static func resolutionFiles(_ path: String) throws -> [(resolution: Int, path: String)] {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw DevicesError(.badTable, "\(path): no such file or folder")
    }
    let paths =
      isFolder.boolValue
      ? ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).map { "\(path)/\($0)" }
      : [path]
    let files = paths.compactMap { path -> (resolution: Int, path: String)? in
      let name = URL(fileURLWithPath: path).lastPathComponent
      guard name.hasSuffix("_lookup_table.yaml"), let size = Int(name.prefix { $0 != "_" }) else {
        return nil
      }
      return (size, path)
    }
    guard !files.isEmpty else {
      throw DevicesError(.badTable, "\(path): no <resolution>_lookup_table.yaml there")
    }
    return files.sorted { $0.resolution < $1.resolution }
  }

  /// The two-level YAML of the published tables: `key:` at the margin, `name: number` below it.
  ///
  /// Read by line, strictly: a general YAML reader takes seconds for 4,000 keys.
  static func flatYAML(_ text: String, file: String) throws -> [String: LookupTable.Entry] {
    var entries: [String: LookupTable.Entry] = [:]
    var open: (key: String, line: Int, values: [String: Double])?
    func bad(_ line: Int, _ what: String) -> DevicesError {
      DevicesError(.badTable, "\(file):\(line): \(what)")
    }
    func close() throws {
      guard let (key, line, values) = open else { return }
      guard let mean = values["mean"] else { throw bad(line, "'\(key)' has no mean") }
      guard mean.isFinite, mean >= 0 else { throw bad(line, "'\(key)' has the mean \(mean)") }
      var entry = LookupTable.Entry(Milliseconds(mean))
      entry.repeats = values["count"].flatMap { Int(exactly: $0) }
      guard entries.updateValue(entry, forKey: key) == nil else {
        throw bad(line, "'\(key)' occurs twice")
      }
    }
    var number = 0
    for raw in text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      number += 1
      let line = Substring(raw.last == UInt8(ascii: "\r") ? raw.dropLast() : raw)
      if line.isEmpty || line.first == "#" { continue }
      guard let colon = line.utf8.lastIndex(of: UInt8(ascii: ":")) else {
        throw bad(number, "'\(line)' is neither 'key:' nor 'name: number'")
      }
      let name = line[..<colon]
      let value = line[line.index(after: colon)...].drop { $0 == " " }
      if line.first == " " {
        let field = name.drop { $0 == " " }
        guard open != nil else { throw bad(number, "'\(field)' belongs to no key") }
        guard ["mean", "std", "var", "count"].contains(field) else {
          throw bad(number, "unknown field '\(field)'; mean, std, var and count are meant")
        }
        guard let value = Double(value) else {
          throw bad(number, "\(field) is '\(value)', which is no number")
        }
        guard open?.values.updateValue(value, forKey: String(field)) == nil else {
          throw bad(number, "\(field) occurs twice")
        }
      } else {
        guard value.isEmpty, !name.isEmpty else {
          throw bad(number, "'\(line)' is neither 'key:' nor 'name: number'")
        }
        try close()
        open = (String(name), number, [:])
      }
    }
    try close()
    guard !entries.isEmpty else { throw bad(1, "the file has no keys") }
    return entries
  }

  /// Blocks by number, each with the four operators 3x3-e3, 3x3-e6, 5x5-e3 and 5x5-e6 by number.
  static func singlePathJSON(_ text: String, file: String) throws -> [String: LookupTable.Entry] {
    let blocks: [String: [String: Double]]
    do {
      blocks = try JSONDecoder().decode([String: [String: Double]].self, from: Data(text.utf8))
    } catch {
      throw DevicesError(.badTable, "\(file): no Single-Path runtime model (block -> op -> number)")
    }
    let operators = ["0": "3x3-e3", "1": "3x3-e6", "2": "5x5-e3", "3": "5x5-e6"]
    var entries: [String: LookupTable.Entry] = [:]
    for (block, times) in blocks {
      guard Int(block) != nil, Set(times.keys) == Set(operators.keys) else {
        throw DevicesError(.badTable, "\(file): block '\(block)' lacks one of the operators 0 to 3")
      }
      for (index, name) in operators {
        guard let time = times[index], time.isFinite, time >= 0 else {
          throw DevicesError(.badTable, "\(file): block '\(block)', operator \(index): no latency")
        }
        entries["block:\(block)-op:\(name)"] = LookupTable.Entry(Milliseconds(time))
      }
    }
    guard !entries.isEmpty else { throw DevicesError(.badTable, "\(file): no blocks") }
    return entries
  }
}
