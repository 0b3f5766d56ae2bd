/// Measures the kernels against what the machine can do: multiply-adds and memory traffic.
///
/// Run it alone on the machine; it takes some seconds.
public struct EngineProbe {
  /// One kernel.
  public struct Row: Sendable, Codable {
    public let name: String
    /// 10^9 operations (a multiply-add is two) per second, all threads together.
    public let gigaflops: Double?
    /// 10^9 bytes per second that had to be read and written.
    public let gigabytes: Double?
    /// Share of the multiply-add peak measured in the same run.
    public let shareOfPeak: Double?
  }

  public let engine: Engine
  /// Seconds that each kernel is repeated for; the fastest repetition counts.
  public var seconds = 0.2
  public private(set) var rows: [Row] = []
  private var peak = 0.0

  public init(engine: Engine) { self.engine = engine }

  /// Measures everything.
  public static func run(engine: Engine) throws -> [Row] {
    var probe = EngineProbe(engine: engine)
    probe.measurePeaks()
    try probe.measureProducts()
    try probe.measureDepthwise()
    return probe.rows
  }

  mutating func measure(_ name: String, flops: Double?, bytes: Double?, _ body: () throws -> Void)
    rethrows
  {
    try body()
    let clock = ContinuousClock()
    let start = clock.now
    var best = Double.infinity
    repeat {
      let time = try clock.measure(body)
      best = min(best, time / .seconds(1))
    } while start.duration(to: clock.now) < .seconds(seconds)
    let gigaflops = flops.map { $0 / best * 1e-9 }
    if name == "multiply-add peak" { peak = gigaflops ?? 0 }
    rows.append(
      Row(
        name: name, gigaflops: gigaflops, gigabytes: bytes.map { $0 / best * 1e-9 },
        shareOfPeak: peak > 0 ? gigaflops.map { $0 / peak } : nil))
  }

  private mutating func measureProducts() throws {
    var random = RandomStream(seed: 1)
    let shapes = [
      (1024, 1024, 1024), (65536, 24, 96), (65536, 24, 144), (65536, 144, 24), (16384, 48, 192),
      (4096, 384, 64), (256, 400, 400), (1, 400, 400),
    ]
    for (m, k, n) in shapes {
      let (a, b) = (random.uniform([m, k]), random.uniform([k, n]))
      let g = random.uniform([m, n])
      let (flops, bytes) = (2 * Double(m * n) * Double(k), 4 * Double(m * k + k * n + m * n))
      let tape = Tape(engine, recording: false)
      let (x, w, y) = (tape.constant(a), tape.constant(b), tape.constant(g))
      try measure("product \(m)x\(k)x\(n)", flops: flops, bytes: bytes) { _ = try x.matmul(w) }
      try measure("  transposed A", flops: flops, bytes: bytes) {
        _ = try x.matmul(y, transposeSelf: true)
      }
      measure("  OpenBLAS, one thread", flops: flops, bytes: bytes) {
        _ = OpenBLAS.product(a, b)
      }
    }
  }

  private mutating func measureDepthwise() throws {
    var random = RandomStream(seed: 1)
    let (n, h, c) = (16, 32, 144)
    for kernel in [3, 5, 7] {
      for stride in [1, 2] {
        let x = random.uniform([n, h, h, c])
        let weight = random.uniform([kernel, kernel, c])
        let options = Convolution(kernel: kernel, stride: stride, groups: c)
        let tape = Tape(engine)
        let (input, taps) = (tape.leaf(x), tape.leaf(weight))
        let y = try input.convolution(taps, options)
        let seed = random.uniform(y.shape)
        let flops = 2 * Double(y.value.count * kernel * kernel)
        let bytes = 4 * Double(x.count + y.value.count)
        let name = "depthwise \(kernel)x\(kernel) stride \(stride)"
        let plain = Tape(engine, recording: false)
        try measure(name, flops: flops, bytes: bytes) {
          _ = try plain.constant(x).convolution(plain.constant(weight), options)
        }
        try measure("  both gradients", flops: 2 * flops, bytes: 2 * bytes) {
          _ = try tape.gradients(of: y, for: [input, taps], seed: seed, keepGraph: true)
        }
      }
    }
  }
}
