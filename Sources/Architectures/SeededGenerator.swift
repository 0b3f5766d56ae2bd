/// Seeded random numbers with derived streams (SplitMix64, Steele et al. 2014): the same seed
/// gives the same numbers on every machine.
public struct SeededGenerator: RandomNumberGenerator, Hashable, Sendable, Codable {
  public private(set) var state: UInt64

  public init(seed: UInt64) { state = seed }

  /// An independent generator for the part of a run that `stream` names.
  public init(seed: UInt64, stream: String) {
    var hash = StableHash(seed)
    hash.combine(stream)
    state = hash.value
  }

  public mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  /// Uniform in `0..<bound` without division (Lemire 2019; bias below 2^-32 for small bounds).
  public mutating func next(below bound: Int) -> Int {
    Int(((next() >> 32) &* UInt64(bound)) >> 32)
  }

  /// Uniform in `[0, 1)`.
  public mutating func nextUniform() -> Double { Double(next() >> 11) * 0x1p-53 }
}
