internal import Architectures
public import Foundation

/// All search methods by name. A new one is added here and goes through the shared tests.
public struct SearcherRegistry: Sendable {
  public struct Entry: Sendable {
    public let name: String
    public let summary: String
    /// Makes the searcher from options (a JSON object; `nil` for the defaults) and a seed.
    let make: @Sendable (_ options: Data?, _ seed: UInt64) throws -> any Searcher
    /// Reads a checkpoint of it.
    let read: @Sendable (Data) throws -> (any Searcher, CheckpointHeader)

    public init<S: Searcher>(_ type: S.Type) {
      name = S.name
      summary = S.summary
      make = { json, seed in
        let options = try json.map { try Self.options(S.Options.self, $0, S.name) } ?? S.Options()
        try options.validate()
        return S(options: options, seed: seed)
      }
      read = { data in
        let checkpoint = try JSONDecoder().decode(Checkpoint<S>.self, from: data)
        try checkpoint.state.options.validate()
        return (checkpoint.state, checkpoint.header)
      }
    }

    /// Options with the values of a JSON object in place of the defaults; an unknown key is an
    /// error.
    private static func options<Options: SearcherOptions>(
      _: Options.Type, _ json: Data, _ searcher: String
    ) throws -> Options {
      let defaults = try JSONEncoder().encode(Options())
      guard
        var merged = try JSONSerialization.jsonObject(with: defaults) as? [String: Any],
        let given = try? JSONSerialization.jsonObject(with: json) as? [String: Any]
      else {
        throw SearchersError(.invalidOptions, "options of \(searcher) must be a JSON object")
      }
      for key in given.keys.sorted() {
        guard merged[key] != nil else {
          throw SearchersError(
            .invalidOptions,
            "\(searcher) has no option '\(key)'; it has "
              + merged.keys.sorted().joined(separator: ", "))
        }
        merged[key] = given[key]
      }
      let whole = try JSONSerialization.data(withJSONObject: merged)
      do {
        return try JSONDecoder().decode(Options.self, from: whole)
      } catch let error as DecodingError {
        throw SearchersError(
          .invalidOptions,
          "options of \(searcher): \(error.fullProblem(decoding: Options.self, from: whole))")
      }
    }
  }

  public let entries: [Entry]

  public init(_ entries: [Entry]) { self.entries = entries }

  /// The searchers of this package.
  public static let standard = SearcherRegistry([
    Entry(EvolutionSearcher.self), Entry(NSGA2Searcher.self), Entry(AgingSearcher.self),
    Entry(RandomSearcher.self),
  ])

  public var names: [String] { entries.map(\.name) }

  /// The searcher of that name.
  /// - Parameter options: a JSON object; keys not given keep their defaults.
  /// - Throws: `unknownSearcher`, `invalidOptions`.
  public func searcher(_ name: String, options: Data? = nil, seed: UInt64) throws -> any Searcher {
    try entry(name).make(options, seed)
  }

  func entry(_ name: String) throws -> Entry {
    guard let entry = entries.first(where: { $0.name == name }) else {
      throw SearchersError(
        .unknownSearcher, "no searcher '\(name)'; known: \(names.joined(separator: ", "))")
    }
    return entry
  }
}
