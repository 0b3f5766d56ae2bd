import CKernels

/// A pool with its shapes checked. Images are independent, so they are what is done in parallel.
struct PoolPlan {
  let input: [Int]
  let output: [Int]
  let kernel: Convolution.Pair
  let options: Convolution

  /// The windows of an image, clipped to it. Dilation is for max pools only.
  func windows(countsPadding: Bool) -> [PoolWindow] {
    let area = Float(kernel.height * kernel.width)
    return (0..<output[1]).flatMap { oy in
      (0..<output[2]).map { ox in
        let top = oy * options.stride.height - options.padding.top
        let left = ox * options.stride.width - options.padding.left
        let rows = max(top, 0)..<max(0, min(top + kernel.height, input[1]))
        let columns = max(left, 0)..<max(0, min(left + kernel.width, input[2]))
        let count = countsPadding ? area : Float(rows.count * columns.count)
        return PoolWindow(rows: rows, columns: columns, weight: 1 / max(count, 1))
      }
    }
  }

  /// The largest values, and for each the pixel of its image that it came from.
  func maximum(_ x: Tensor, engine: Engine) -> (Tensor, [Int32]) {
    let x = x.contiguous(engine: engine)
    let result = Tensor(uninitialized: output, engine: engine)
    let (width, channels) = (input[2], input[3])
    let places = [Int32](unsafeUninitializedCapacity: result.count) { buffer, count in
      count = result.count
      let places = buffer.baseAddress
      engine.parallel(output[0] * output[1]) { row in
        let (image, oy) = (row / output[1], row % output[1])
        let from = x.base + image * input[1] * width * channels
        for ox in 0..<output[2] {
          let at = (row * output[2] + ox) * channels
          let (best, place) = (result.base + at, places! + at)
          best.update(repeating: -.infinity, count: channels)
          place.initialize(repeating: -1, count: channels)
          for ky in 0..<kernel.height {
            let y = oy * options.stride.height - options.padding.top + ky * options.dilation.height
            if y < 0 || y >= input[1] { continue }
            for kx in 0..<kernel.width {
              let x = ox * options.stride.width - options.padding.left + kx * options.dilation.width
              if x < 0 || x >= width { continue }
              let pixel = y * width + x
              let values = from + pixel * channels
              for c in 0..<channels where values[c] > best[c] || place[c] < 0 {
                best[c] = values[c]
                place[c] = Int32(truncatingIfNeeded: pixel)
              }
            }
          }
        }
      }
    }
    return (result, places)
  }

  func maximumGradient(_ g: Tensor, _ places: [Int32], engine: Engine) -> Tensor {
    let g = g.contiguous(engine: engine)
    let result = Tensor(zeros: input, engine: engine)
    let (channels, pixels) = (input[3], output[1] * output[2])
    engine.parallel(output[0]) { image in
      let to = result.base + image * input[1] * input[2] * channels
      for i in (image * pixels * channels)..<((image + 1) * pixels * channels) {
        to[Int(places[i]) * channels + i % channels] += g.base[i]
      }
    }
    return result
  }
}

extension Tensor {
  /// The weighted sum of each window.
  func averaged(_ windows: [PoolWindow], to target: [Int], engine: Engine) -> Tensor {
    let x = contiguous(engine: engine)
    let result = Tensor(zeros: target, engine: engine)
    let (image, width, channels) = (shape[1] * shape[2] * shape[3], shape[2], shape[3])
    engine.parallel(shape[0]) { n in
      for (i, window) in windows.enumerated() {
        let to = result.base + (n * windows.count + i) * channels
        for y in window.rows {
          for column in window.columns {
            let from = x.base + n * image + (y * width + column) * channels
            ck_axpy(Int64(channels), window.weight, from, to)
          }
        }
      }
    }
    return result
  }

  /// The way back: each window's value, weighted, to all its places.
  func spread(_ windows: [PoolWindow], to target: [Int], engine: Engine) -> Tensor {
    let g = contiguous(engine: engine)
    let result = Tensor(zeros: target, engine: engine)
    let (image, width, channels) = (target[1] * target[2] * target[3], target[2], target[3])
    engine.parallel(target[0]) { n in
      for (i, window) in windows.enumerated() {
        let from = g.base + (n * windows.count + i) * channels
        for y in window.rows {
          for column in window.columns {
            let to = result.base + n * image + (y * width + column) * channels
            ck_axpy(Int64(channels), window.weight, from, to)
          }
        }
      }
    }
    return result
  }

  /// Rows of a matrix by number.
  func rows(_ indices: [Int], engine: Engine) -> Tensor {
    let (source, width) = (contiguous(engine: engine), shape[1])
    let result = Tensor(uninitialized: [indices.count, width], engine: engine)
    for (i, index) in indices.enumerated() {
      (result.base + i * width).update(from: source.base + index * width, count: width)
    }
    return result
  }

  /// The way back: rows added to a matrix of zeros.
  func scattered(_ indices: [Int], rows: Int, engine: Engine) -> Tensor {
    let (source, width) = (contiguous(engine: engine), shape[1])
    let result = Tensor(zeros: [rows, width], engine: engine)
    for (i, index) in indices.enumerated() {
      ck_axpy(Int64(width), 1, source.base + i * width, result.base + index * width)
    }
    return result
  }
}
