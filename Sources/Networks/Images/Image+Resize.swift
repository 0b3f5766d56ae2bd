internal import Foundation

extension Image {
  /// Resized with a triangle filter that widens when it shrinks ("bilinear, antialiased"), the
  /// way torchvision resizes a PIL image: fixed-point weights, a pass along rows, then one along
  /// columns, rounded to 8 bits in between. `O(height * width * support)`.
  public func resized(width newWidth: Int, height newHeight: Int) -> Image {
    var image = self
    if newWidth != width {
      image = image.resampledRows(Filter(from: width, to: newWidth))
    }
    if newHeight != height {
      image = image.resampledColumns(Filter(from: height, to: newHeight))
    }
    return image
  }

  /// Resized so that the shorter side is `size`; the longer one is rounded down, as torchvision's.
  public func resized(shorterSide size: Int) -> Image {
    width <= height
      ? resized(width: size, height: size * height / width)
      : resized(width: size * width / height, height: size)
  }

  /// The square of `size` pixels in the middle, padded with 0 where the image is smaller.
  public func centerCropped(_ size: Int) -> Image {
    let x = Int((Double(width - size) / 2).rounded(.toNearestOrEven))
    let y = Int((Double(height - size) / 2).rounded(.toNearestOrEven))
    return cropped(x: x, y: y, width: size, height: size)
  }

  /// For each output position the first input position and its weights, in 2^-22.
  private struct Filter {
    static let bits = 22
    var starts: [Int] = []
    var weights: [[Int32]] = []

    init(from input: Int, to output: Int) {
      let scale = Double(input) / Double(output)
      let reach = max(scale, 1)
      for position in 0..<output {
        let center = (Double(position) + 0.5) * scale
        let start = max(0, Int(center - reach + 0.5))
        let end = min(input, Int(center + reach + 0.5))
        let raw = (start..<end).map { max(0, 1 - abs((Double($0) - center + 0.5) / reach)) }
        let total = raw.reduce(0, +)
        starts.append(start)
        weights.append(
          raw.map { Int32(($0 / total * Double(1 << Self.bits)).rounded(.toNearestOrAwayFromZero)) }
        )
      }
    }

    static func pixel(_ sum: Int32) -> UInt8 { UInt8(clamping: sum >> Int32(bits)) }
    static let half = Int32(1) << Int32(bits - 1)
  }

  private func resampledRows(_ filter: Filter) -> Image {
    let newWidth = filter.starts.count
    var result = [UInt8](repeating: 0, count: newWidth * height * channels)
    for x in 0..<newWidth {
      let start = filter.starts[x]
      let weights = filter.weights[x]
      for y in 0..<height {
        for c in 0..<channels {
          var sum = Filter.half
          var source = (y * width + start) * channels + c
          for weight in weights {
            sum &+= weight &* Int32(pixels[source])
            source += channels
          }
          result[(y * newWidth + x) * channels + c] = Filter.pixel(sum)
        }
      }
    }
    return Image(width: newWidth, height: height, channels: channels, pixels: result)
  }

  private func resampledColumns(_ filter: Filter) -> Image {
    let newHeight = filter.starts.count
    let stride = width * channels
    var result = [UInt8](repeating: 0, count: stride * newHeight)
    var sums = [Int32](repeating: 0, count: stride)
    for y in 0..<newHeight {
      for i in 0..<stride { sums[i] = Filter.half }
      for (row, weight) in filter.weights[y].enumerated() {
        let source = (filter.starts[y] + row) * stride
        for i in 0..<stride { sums[i] &+= weight &* Int32(pixels[source + i]) }
      }
      for i in 0..<stride { result[y * stride + i] = Filter.pixel(sums[i]) }
    }
    return Image(width: width, height: newHeight, channels: channels, pixels: result)
  }
}
