import Architectures
import Foundation

/// Standard normal numbers by position: the same key and position give the same number.
struct NormalStream {
  let key: UInt64
  private let quantiles = Self.quantiles

  init(key: UInt64) { self.key = key }

  subscript(position: Int) -> Float {
    @inline(__always) get {
      // SplitMix64's finaliser over a counter (Steele et al. 2014); one draw makes two numbers.
      var bits = key &+ UInt64(truncatingIfNeeded: position >> 1) &* 0x9e37_79b9_7f4a_7c15
      bits = (bits ^ (bits >> 30)) &* 0xbf58_476d_1ce4_e5b9
      bits = (bits ^ (bits >> 27)) &* 0x94d0_49bb_1331_11eb
      bits ^= bits >> 31
      let uniform = UInt32(truncatingIfNeeded: position & 1 == 0 ? bits : bits >> 32)
      let fraction = Float(uniform & 0xf_ffff) * 0x1p-20
      return quantiles.withUnsafeBufferPointer { table in
        let low = table[Int(uniform >> 20)]
        return low + (table[Int(uniform >> 20) + 1] - low) * fraction
      }
    }
  }

  /// 4,097 quantiles of the normal distribution, scaled so that drawing by linear interpolation
  /// has variance 1.
  private static let quantiles: [Float] = {
    let steps = 4096
    let half: [Double] = (0...steps / 2).map { step in
      quantile(max(Double(step), 1 / 8) / Double(steps))
    }
    let table: [Double] = half.dropLast() + half.reversed().map { -$0 }
    var variance = 0.0
    for (a, b) in zip(table, table.dropFirst()) { variance += (a * a + a * b + b * b) / 3 }
    let scale = (Double(steps) / variance).squareRoot()
    return table.map { Float($0 * scale) }
  }()

  /// Where the normal distribution reaches `probability` (at most one half), by bisection.
  private static func quantile(_ probability: Double) -> Double {
    var (low, high) = (-8.0, 0.0)
    for _ in 0..<50 {
      let middle = (low + high) / 2
      if erfc(-middle / 2.0.squareRoot()) / 2 < probability { low = middle } else { high = middle }
    }
    return (low + high) / 2
  }
}

/// Fills `bytes` with floating-point numbers of `type`, element by element.
@inline(__always)
func fill(_ bytes: inout MutableRawSpan, _ type: ElementType, with value: (Int) -> Float) {
  bytes.withUnsafeMutableBytes { raw in
    switch type {
    case .float32:
      for index in 0..<raw.count / 4 {
        raw.storeBytes(of: value(index), toByteOffset: 4 * index, as: Float.self)
      }
    case .float64:
      for index in 0..<raw.count / 8 {
        raw.storeBytes(of: Double(value(index)), toByteOffset: 8 * index, as: Double.self)
      }
    case .float16:
      for index in 0..<raw.count / 2 {
        raw.storeBytes(
          of: HalfPrecision.bits(value(index)), toByteOffset: 2 * index, as: UInt16.self)
      }
    default:
      for index in 0..<raw.count / 2 {
        raw.storeBytes(
          of: HalfPrecision.brainBits(value(index)), toByteOffset: 2 * index, as: UInt16.self)
      }
    }
  }
}
