#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

extension RandomStream {
  /// Standard normal, by Box and Muller's transform of two numbers.
  public mutating func normal() -> Float {
    let u = Double(next() >> 11) * 0x1p-53 + 0x1p-54
    let v = Double(next() >> 11) * 0x1p-53
    return Float(sqrt(-2 * log(u)) * cos(2 * Double.pi * v))
  }

  /// A tensor of normal numbers.
  public mutating func normal(_ shape: [Int], mean: Float = 0, deviation: Float = 1) -> Tensor {
    fill(shape) { $0.normal() * deviation + mean }
  }

  /// A tensor of uniform numbers.
  public mutating func uniform(_ shape: [Int], in range: Range<Float> = 0..<1) -> Tensor {
    fill(shape) { $0.uniform(range) }
  }

  /// A tensor of ones with probability `p`, else zeros.
  public mutating func bernoulli(_ shape: [Int], probability: Float) -> Tensor {
    fill(shape) { $0.uniform() < probability ? 1 : 0 }
  }

  private mutating func fill(_ shape: [Int], _ draw: (inout RandomStream) -> Float) -> Tensor {
    var result = Tensor(zeros: shape)
    result.update { span in
      for i in span.indices { span[i] = draw(&self) }
    }
    return result
  }
}
