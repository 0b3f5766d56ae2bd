/// The two 16-bit floating-point formats, as bits.
///
/// In plain arithmetic: `Float16` isn't there on every platform Swift builds for.
enum HalfPrecision {
  /// IEEE 754 binary16, rounded to nearest even.
  static func bits(_ value: Float) -> UInt16 {
    let sign = UInt16(value.bitPattern >> 16) & 0x8000
    let magnitude = value.magnitude
    if magnitude.isNaN { return sign | 0x7e00 }
    if magnitude >= 65520 { return sign | 0x7c00 }
    if magnitude < 0x1p-14 {
      return sign | UInt16((magnitude * 0x1p24).rounded(.toNearestOrEven))
    }
    let bits = magnitude.bitPattern
    let rounded = bits &+ 0xfff &+ ((bits >> 13) & 1)
    return sign | UInt16(truncatingIfNeeded: (rounded >> 13) &- (112 << 10))
  }

  static func value(bits: UInt16) -> Float {
    let sign: Float = bits & 0x8000 == 0 ? 1 : -1
    let exponent = Int(bits >> 10) & 0x1f
    let fraction = Float(bits & 0x3ff)
    switch exponent {
    case 0: return sign * fraction * 0x1p-24
    case 31: return fraction == 0 ? sign * .infinity : .nan
    default:
      return Float(
        sign: sign < 0 ? .minus : .plus, exponent: exponent - 15,
        significand: 1 + fraction * 0x1p-10)
    }
  }

  /// bfloat16: the upper half of a float32, rounded to nearest even.
  static func brainBits(_ value: Float) -> UInt16 {
    if value.isNaN { return 0x7fc0 }
    let bits = value.bitPattern
    return UInt16(truncatingIfNeeded: (bits &+ 0x7fff &+ ((bits >> 16) & 1)) >> 16)
  }

  static func value(brainBits bits: UInt16) -> Float {
    Float(bitPattern: UInt32(bits) << 16)
  }
}
