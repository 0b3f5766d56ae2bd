/// A seeded stream of random numbers: the n-th is a function of the key and n alone, so a stream
/// is a value, can jump, and streams derived for different purposes don't touch each other.
///
/// The function is SplitMix64's output mix (Steele, Lea, Flood 2014) of `key + (n + 1) * golden`;
/// derived keys mix the parent's key with a hash of the label.
public struct RandomStream: RandomNumberGenerator, Sendable, Hashable, Codable {
  /// Names the stream.
  public let key: UInt64
  /// Numbers drawn so far. Set it to resume or to jump.
  public var position: UInt64

  public init(seed: UInt64) {
    key = Self.mix(seed &+ 0x9E37_79B9_7F4A_7C15)
    position = 0
  }

  private init(key: UInt64) {
    self.key = key
    position = 0
  }

  private static func mix(_ x: UInt64) -> UInt64 {
    var z = x
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// The stream for a purpose: `root.derived("augmentation").derived(epoch)`.
  public func derived(_ label: String) -> RandomStream {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325  // FNV-1a
    for byte in label.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    return RandomStream(key: Self.mix(key ^ Self.mix(hash)))
  }

  public func derived(_ index: Int) -> RandomStream {
    RandomStream(key: Self.mix(Self.mix(key) &+ Self.mix(UInt64(bitPattern: Int64(index)))))
  }

  public mutating func next() -> UInt64 {
    position &+= 1
    return Self.mix(key &+ position &* 0x9E37_79B9_7F4A_7C15)
  }

  /// Uniform in [0, 1), with 24 bits.
  public mutating func uniform() -> Float { Float(next() >> 40) * 0x1p-24 }

  /// Uniform in the range.
  public mutating func uniform(_ range: Range<Float>) -> Float {
    range.lowerBound + (range.upperBound - range.lowerBound) * uniform()
  }

  /// Uniform in `0..<bound`, without bias.
  public mutating func integer(below bound: Int) -> Int {
    precondition(bound > 0, "integer(below:) needs a positive bound")
    return Int.random(in: 0..<bound, using: &self)
  }

  /// A shuffled `0..<count`.
  public mutating func permutation(_ count: Int) -> [Int] {
    var order = Array(0..<count)
    for i in stride(from: count - 1, to: 0, by: -1) { order.swapAt(i, integer(below: i + 1)) }
    return order
  }
}
