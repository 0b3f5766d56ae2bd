/// A decoded picture: `[height, width, channels]`, 8 bits a channel, row after row.
public struct Image: Sendable, Equatable {
  public var width: Int
  public var height: Int
  /// 1 (grey) or 3 (red, green, blue).
  public var channels: Int
  /// `height * width * channels` bytes.
  public var pixels: [UInt8]

  public init(width: Int, height: Int, channels: Int = 3, pixels: [UInt8]) {
    precondition(
      pixels.count == width * height * channels,
      "image \(height)x\(width)x\(channels) needs \(width * height * channels) bytes, got \(pixels.count)"
    )
    self.width = width
    self.height = height
    self.channels = channels
    self.pixels = pixels
  }

  /// The rectangle whose upper left corner is (`x`, `y`); what lies outside the image is 0.
  public func cropped(x: Int, y: Int, width newWidth: Int, height newHeight: Int) -> Image {
    var result = [UInt8](repeating: 0, count: newWidth * newHeight * channels)
    let left = max(0, x)
    let right = min(width, x + newWidth)
    guard left < right else {
      return Image(width: newWidth, height: newHeight, channels: channels, pixels: result)
    }
    let count = (right - left) * channels
    for row in max(0, y)..<max(max(0, y), min(height, y + newHeight)) {
      let source = (row * width + left) * channels
      let target = ((row - y) * newWidth + left - x) * channels
      result.replaceSubrange(target..<target + count, with: pixels[source..<source + count])
    }
    return Image(width: newWidth, height: newHeight, channels: channels, pixels: result)
  }

  /// Mirrored left to right.
  public func flipped() -> Image {
    var result = pixels
    for row in 0..<height {
      for x in 0..<width {
        let source = (row * width + x) * channels
        let target = (row * width + width - 1 - x) * channels
        for c in 0..<channels { result[target + c] = pixels[source + c] }
      }
    }
    return Image(width: width, height: height, channels: channels, pixels: result)
  }
}
