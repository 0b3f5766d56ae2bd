public import Architectures

/// Settings of a searcher: defaults in `init()`, limits in `validate()`.
public protocol SearcherOptions: Codable, Hashable, Sendable {
  init()
  /// - Throws: `SearchersError.invalidOptions` naming the option, its value and what is allowed.
  func validate() throws
}

/// A search method that goes step by step. The value is its whole state, so encoding it is a
/// checkpoint; the architectures found are kept by the context.
public protocol Searcher: Codable, Sendable {
  associatedtype Options: SearcherOptions
  /// As users write it.
  static var name: String { get }
  /// One line for listings.
  static var summary: String { get }

  init(options: Options, seed: UInt64)

  var options: Options { get }
  /// Steps done and steps in all; step 0 is the start.
  var step: Int { get }
  var steps: Int { get }
  /// Genotypes in the state; a checkpoint is refused if they do not fit the problem.
  var members: [Genotype] { get }
  /// Whether the parts of the state fit each other: a checkpoint may come from anywhere.
  var isConsistent: Bool { get }

  /// One generation: draws candidates, has them scored, and takes them over.
  mutating func advance(in context: inout SearchContext) throws
}

extension Searcher {
  public var isFinished: Bool { step >= steps }
}

/// Fails unless `value` lies in `range`.
func check<Value: Comparable>(
  _ option: String, _ value: Value, in range: ClosedRange<Value>
) throws {
  guard range.contains(value) else {
    throw SearchersError(
      .invalidOptions,
      "\(option) must be between \(range.lowerBound) and \(range.upperBound), got \(value)")
  }
}
