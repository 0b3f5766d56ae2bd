/// A hash that is the same in every run and on every machine (Swift's own is seeded).
package struct StableHash: Sendable {
  package private(set) var value: UInt64

  package init(_ seed: UInt64 = 0) { value = seed ^ 0x9e37_79b9_7f4a_7c15 }

  /// Finaliser of SplitMix64 (Steele et al. 2014) over the running value.
  package mutating func combine(_ word: UInt64) {
    var z = (value ^ word) &+ 0x9e37_79b9_7f4a_7c15
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    value = z ^ (z >> 31)
  }

  package mutating func combine(_ string: String) {
    var string = string
    string.withUTF8 { combine($0) }
  }

  package mutating func combine(_ bytes: [UInt8]) { bytes.withUnsafeBufferPointer { combine($0) } }

  private mutating func combine(_ bytes: UnsafeBufferPointer<UInt8>) {
    var word: UInt64 = 0
    for (index, byte) in bytes.enumerated() {
      word = word << 8 | UInt64(byte)
      if index & 7 == 7 {
        combine(word)
        word = 0
      }
    }
    combine(word)
    combine(UInt64(bytes.count))
  }

  package mutating func combine(_ number: Int) { combine(UInt64(bitPattern: Int64(number))) }

  /// Hash of two words in this order.
  static func of(_ a: UInt64, _ b: UInt64) -> UInt64 {
    var hash = Self()
    hash.combine(a)
    hash.combine(b)
    return hash.value
  }

  /// 128 bits of a text as 32 hexadecimal digits.
  static func digest(_ text: String) -> String {
    [UInt64(0), 0x5bd1_e995].map { seed in
      var hash = Self(seed)
      hash.combine(text)
      let digits = String(hash.value, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
  }
}
