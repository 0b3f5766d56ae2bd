/// Scores by packed canonical genotype: an open-addressing hash table over flat arrays, since
/// Swift's dictionary would allocate and hash byte by byte.
struct ScoreMemo: Sendable {
  private let words: Int
  private var keys: [UInt64] = []
  private(set) var scores: [Double] = []
  /// Place of an entry plus one; 0 is free.
  private var table: [UInt32] = Array(repeating: 0, count: 1024)

  /// Entries kept before the memo starts afresh (about 60 MB).
  static let capacity = 1 << 20

  init(words: Int) { self.words = words }

  var count: Int { scores.count }

  enum Place: Equatable {
    case known(Int)
    /// A new entry, whose score is to be set.
    case added(Int)
  }

  /// The entry of the key that starts at `start` of `list`, added if there was none.
  mutating func place(_ list: [UInt64], _ start: Int) -> Place {
    let mask = table.count - 1
    var slot = hash(list, start) & mask
    while table[slot] != 0 {
      let entry = Int(table[slot]) - 1
      if isEqual(entry, list, start) { return .known(entry) }
      slot = (slot + 1) & mask
    }
    let entry = scores.count
    table[slot] = UInt32(entry + 1)
    for word in 0..<words { keys.append(list[start + word]) }
    scores.append(.nan)
    if scores.count * 2 > table.count { grow() }
    return .added(entry)
  }

  mutating func set(_ score: Double, at entry: Int) { scores[entry] = score }

  mutating func removeAll() { self = ScoreMemo(words: words) }

  private func isEqual(_ entry: Int, _ list: [UInt64], _ start: Int) -> Bool {
    for word in 0..<words where keys[entry * words + word] != list[start + word] { return false }
    return true
  }

  private func hash(_ list: [UInt64], _ start: Int) -> Int {
    var value: UInt64 = 0
    for word in 0..<words {
      value = (value ^ list[start + word]) &* 0x9e37_79b9_7f4a_7c15
      value ^= value >> 29
    }
    value = value &* 0xbf58_476d_1ce4_e5b9
    return Int(truncatingIfNeeded: (value ^ (value >> 32)) & 0x7fff_ffff_ffff_ffff)
  }

  private mutating func grow() {
    table = Array(repeating: 0, count: table.count * 4)
    let mask = table.count - 1
    for entry in scores.indices {
      var slot = hash(keys, entry * words) & mask
      while table[slot] != 0 { slot = (slot + 1) & mask }
      table[slot] = UInt32(entry + 1)
    }
  }
}
