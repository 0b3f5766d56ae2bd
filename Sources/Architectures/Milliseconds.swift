/// A latency. Always milliseconds, never seconds: the type is the unit.
public struct Milliseconds: Hashable, Comparable, Sendable, Codable {
  public var value: Double
  public init(_ value: Double) { self.value = value }
  public static func < (a: Self, b: Self) -> Bool { a.value < b.value }
  public static func + (a: Self, b: Self) -> Self { Self(a.value + b.value) }
  public init(from decoder: any Decoder) throws {
    value = try decoder.singleValueContainer().decode(Double.self)
  }
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(value)
  }
}
