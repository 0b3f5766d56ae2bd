import CKernels

/// A convolution with its shapes checked: chooses among the kernels.
struct ConvolutionPlan {
  let input: [Int]
  let output: [Int]
  let kernel: Convolution.Pair
  let options: Convolution
  let depthwise: Bool

  var window: ck_window {
    ck_window(
      height: Int64(input[1]), width: Int64(input[2]), channels: Int64(input[3]),
      out_height: Int64(output[1]), out_width: Int64(output[2]), kernel_h: Int64(kernel.height),
      kernel_w: Int64(kernel.width), stride_h: Int64(options.stride.height),
      stride_w: Int64(options.stride.width), dilation_h: Int64(options.dilation.height),
      dilation_w: Int64(options.dilation.width), pad_top: Int64(options.padding.top),
      pad_left: Int64(options.padding.left))
  }

  /// Elements of one image.
  var inputImage: Int { input[1] * input[2] * input[3] }
  var outputImage: Int { output[1] * output[2] * output[3] }

  /// Results this large are stored past the caches: nothing of them would still be there when the
  /// next operator reads them.
  static let streamedElements = 2 << 20

  /// Output pixels of all images: rows of a product.
  var rows: Int { output[0] * output[1] * output[2] }

  /// Parts that a loop is cut into, at most one a unit: 4 a thread, since short ones even out what
  /// else the machine does, and none so small that starting it costs more than it gains.
  func parts(_ units: Int, _ weight: Tensor, _ threads: Int) -> Int {
    threads == 1 ? 1 : max(1, min(threads * 4, units, rows * weight.count / productGrain))
  }

  func forward(
    _ x: Variable, _ weight: Tensor, _ finish: Epilogue, moments: Bool, engine: Engine
  ) -> (Tensor, Moments?) {
    let result = Tensor(uninitialized: output, engine: engine)
    if result.count == 0 { return (result, nil) }
    let channels = output[3]
    let parts = parts(
      depthwise ? output[0] * output[1] * chunks : rows, weight, engine.threads)
    let sums = PartialSums(
      parts: moments ? parts : 0, columns: channels, engine: engine)
    if depthwise {
      forwardDepthwise(x, weight, finish, result, parts: parts, sums: sums, engine: engine)
    } else if options.isPointwise(kernel) {
      forwardPointwise(x, weight, finish, result, parts: parts, sums: sums, engine: engine)
    } else if isFramed, input[0] >= engine.threads {
      forwardFramed(
        x, weight, finish, result, parts: min(parts, input[0]), sums: sums, engine: engine)
    } else {
      forwardDense(x, weight, finish, result, parts: parts, sums: sums, engine: engine)
    }
    return (result, moments ? sums.total() : nil)
  }

  func backward(_ x: Variable, _ weight: Variable, _ g: Variable, engine: Engine)
    -> (Variable?, Variable?)
  {
    let (wantsX, wantsW) = (x.requiresGradient, weight.requiresGradient)
    let dx = wantsX ? Tensor(uninitialized: input, engine: engine) : nil
    let dw = wantsW ? Tensor(uninitialized: weight.shape, engine: engine) : nil
    let parts = parts(
      depthwise ? input[0] * chunks : rows, weight.value, engine.threads)
    // A normalised activation that nobody else reads: its gradient goes through the activation on
    // the way out, and the sums that batch norm needs are taken.
    var sink: Deferred?
    if let node = x.node, node.uses == 1, !node.isWanted, case .deferred(let deferred) = x.content,
      !deferred.isPerImage
    {
      sink = deferred
    }
    let sums = PartialSums(parts: sink == nil ? 0 : parts, columns: input[3], engine: engine)
    if depthwise {
      backwardDepthwise(x, weight.value, g, dx, dw, sink, parts: parts, sums: sums, engine: engine)
    } else if options.isPointwise(kernel) {
      backwardPointwise(x, weight.value, g, dx, dw, sink, parts: parts, sums: sums, engine: engine)
    } else if isFramed(wantsInput: wantsX) {
      backwardFramed(
        x, weight.value, g, dx, dw, sink, parts: min(parts, input[0]), sums: sums, engine: engine)
    } else {
      backwardDense(x, weight.value, g, dx, dw, sink, parts: parts, sums: sums, engine: engine)
    }
    let moments = sink == nil || dx == nil ? nil : sums.total(owner: sink)
    return (
      dx.map { Variable(content: .tensor($0), tape: g.tape, node: nil, moments: moments) },
      dw.map { g.tape.constant($0) }
    )
  }

  /// The first element of the sink's arrays for kernels, from an element on.
  static func sink(_ deferred: Deferred?, at offset: Int, _ sums: PartialSums, part: Int) -> ck_sink
  {
    guard let deferred else { return ck_sink() }
    return ck_sink(
      z: UnsafePointer(deferred.x.base + offset), scale: UnsafePointer(deferred.p.base),
      shift: UnsafePointer(deferred.r.base), activation: deferred.activation.kernel,
      sums: sums.first(part), products: sums.second(part))
  }
}

/// Two rows of column sums for each part of a parallel loop, added up in the parts' order.
///
/// Each part writes its own rows only.
final class PartialSums {
  private let memory: UnsafeMutableBufferPointer<Double>
  private let parts: Int
  private let columns: Int

  init(parts: Int, columns: Int, engine: Engine) {
    self.parts = parts
    self.columns = columns
    memory = .allocate(capacity: max(1, 2 * parts * columns))
    memory.initialize(repeating: 0)
  }

  deinit { memory.deallocate() }

  /// Nil if no sums are wanted.
  func first(_ part: Int) -> UnsafeMutablePointer<Double>? {
    parts == 0 ? nil : memory.baseAddress! + 2 * part * columns
  }

  func second(_ part: Int) -> UnsafeMutablePointer<Double>? {
    first(part).map { $0 + columns }
  }

  func total(owner: Deferred? = nil) -> Moments {
    var (sums, products) = ([Double](repeating: 0, count: columns), [Double]())
    products = sums
    for part in 0..<parts {
      for j in 0..<columns {
        sums[j] += memory[2 * part * columns + j]
        products[j] += memory[(2 * part + 1) * columns + j]
      }
    }
    return Moments(sums: sums, products: products, owner: owner)
  }
}
