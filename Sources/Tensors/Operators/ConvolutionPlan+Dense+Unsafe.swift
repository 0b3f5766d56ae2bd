import CKernels

/// Dense and grouped convolution: products with blocks of the patch matrix, which is never whole.
extension ConvolutionPlan {
  private var pixels: Int { output[1] * output[2] }
  private var groupIn: Int { input[3] / options.groups }
  private var groupOut: Int { output[3] / options.groups }
  private var patch: Int { kernel.height * kernel.width * groupIn }

  private func block(_ limit: Int) -> Int {
    max(12, min(limit, 32_768 / (patch + groupOut)) / 12 * 12)
  }

  /// The weight as a matrix `[patch, out]`; views are copied, they are small.
  private func matrix(_ weight: Tensor, engine: Engine) -> Tensor {
    weight.contiguous(engine: engine)
  }

  func forwardDense(
    _ x: Variable, _ weight: Tensor, _ finish: Epilogue, _ result: Tensor, parts: Int,
    sums: PartialSums, engine: Engine
  ) {
    let window = window
    let (value, weight) = (x.value, matrix(weight, engine: engine))
    let (patch, n, pixels, block) = (patch, output[3], pixels, block(512))
    let scratch = Tensor(uninitialized: [parts, block * patch], engine: engine)
    engine.parallel(parts) { part in
      let space = scratch.base + part * block * patch
      let range = Engine.part(part, of: parts, in: output[0] * pixels)
      var row = range.lowerBound
      while row < range.upperBound {
        let (image, first) = (row / pixels, row % pixels)
        let count = min(block, range.upperBound - row, pixels - first)
        var source = ck_source()
        source.x = UnsafePointer(value.base + image * inputImage)
        for group in 0..<options.groups {
          withUnsafePointer(to: window) {
            ck_patches(
              $0, &source, Int64(group * groupIn), Int64(groupIn), Int64(first),
              Int64(first + count), space, Int64(patch))
          }
          var g = Self.product(k: patch, n: groupOut, weight, finish)
          let column = group * groupOut
          g.m = Int64(count)
          (g.a, g.lda) = (UnsafePointer(space), Int64(patch))
          (g.b, g.ldb) = (g.b + column, Int64(n))
          (g.c, g.ldc) = (result.base + row * n + column, Int64(n))
          if g.scale != nil { g.scale += column }
          if g.shift != nil { g.shift += column }
          if let residual = finish.residual {
            (g.residual, g.ldr) = (UnsafePointer(residual.base + row * n + column), Int64(n))
          }
          g.sums = sums.first(part).map { $0 + column }
          g.squares = sums.second(part).map { $0 + column }
          ck_gemm(&g)
        }
        row += count
      }
    }
  }

  /// Parts are whole images, so that each writes its own images' gradients.
  func backwardDense(
    _ x: Variable, _ weight: Tensor, _ g: Variable, _ dx: Tensor?, _ dw: Tensor?, _ sink: Deferred?,
    parts: Int, sums: PartialSums, engine: Engine
  ) {
    let window = window
    let (value, gradient) = (x.value, g.value)
    let weight = matrix(weight, engine: engine)
    let (patch, n, pixels, block) = (patch, output[3], pixels, block(512))
    let turned = dx == nil ? nil : Self.transposed(weight, k: patch, n: n, engine: engine)
    let scratch = Tensor(uninitialized: [parts, block * patch], engine: engine)
    let partial = dw.map { Tensor(zeros: [parts, $0.count], engine: engine) }
    engine.parallel(parts) { part in
      let space = scratch.base + part * block * patch
      for image in Engine.part(part, of: parts, in: input[0]) {
        var source = ck_source()
        source.x = UnsafePointer(value.base + image * inputImage)
        if let dx { (dx.base + image * inputImage).update(repeating: 0, count: inputImage) }
        for first in stride(from: 0, to: pixels, by: block) {
          let count = min(block, pixels - first)
          for group in 0..<options.groups {
            let (c0, column) = (Int64(group * groupIn), group * groupOut)
            let d = UnsafePointer(gradient.base + image * outputImage + first * n + column)
            withUnsafePointer(to: window) { window in
              if let partial {
                ck_patches(
                  window, &source, c0, Int64(groupIn), Int64(first), Int64(first + count), space,
                  Int64(patch))
                ck_gemm_tn(
                  Int64(count), Int64(groupOut), Int64(patch), space, Int64(patch), d, Int64(n),
                  partial.base + part * partial.shape[1] + column, Int64(n), 1)
              }
              if let dx, let turned {
                var args = ck_gemm_args()
                (args.m, args.n, args.k) = (Int64(count), Int64(patch), Int64(groupOut))
                (args.a, args.lda) = (d, Int64(n))
                (args.b, args.ldb) = (UnsafePointer(turned.base + column * patch), Int64(patch))
                (args.c, args.ldc) = (space, Int64(patch))
                ck_gemm(&args)
                ck_patches_add(
                  window, space, Int64(patch), c0, Int64(groupIn), Int64(first),
                  Int64(first + count), dx.base + image * inputImage)
              }
            }
          }
        }
        if let dx, sink != nil {
          var sink = Self.sink(sink, at: image * inputImage, sums, part: part)
          let to = dx.base + image * inputImage
          ck_sink_rows(
            Int64(input[1] * input[2]), Int64(input[3]), &sink, to, Int64(input[3]),
            Int64(input[3]), to, 0)
        }
      }
    }
    if let dw, let partial { Self.addUp(partial, parts: parts, into: dw) }
  }
}
