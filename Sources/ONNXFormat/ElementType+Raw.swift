import Architectures

extension ElementType {
  /// Bits one element takes in a file's raw content; `nil` where that has no fixed size.
  var rawBits: Int? {
    if let byteCount { return 8 * byteCount }
    guard case .other(let name) = self else { return nil }
    switch name {
    case "complex64": return 64
    case "complex128": return 128
    case "uint4", "int4", "float4e2m1": return 4
    case "uint2", "int2": return 2
    case let name where name.hasPrefix("float8"): return 8
    default: return nil
    }
  }
}
