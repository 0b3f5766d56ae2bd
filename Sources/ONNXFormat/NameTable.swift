/// Hands out names that are unique, keeping the wish where it is free: `conv`, `conv_2`, ...
struct NameTable {
  private var taken: Set<String> = []
  private var counts: [String: Int] = [:]

  /// A name nobody has yet, `wish` if that is free and not empty, else `fallback`.
  mutating func unique(_ wish: String, or fallback: @autoclosure () -> String) -> String {
    let base = wish.isEmpty ? fallback() : wish
    if taken.insert(base).inserted { return base }
    var count = counts[base] ?? 1
    var name: String
    repeat {
      count += 1
      name = "\(base)_\(count)"
    } while !taken.insert(name).inserted
    counts[base] = count
    return name
  }
}
