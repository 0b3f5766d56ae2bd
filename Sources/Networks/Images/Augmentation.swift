internal import Foundation
internal import Tensors

/// What happens to an image between the data set and the network, in the order of the fields.
/// Every draw comes from the sample's own stream, see `RandomStream`.
public struct Augmentation: Sendable, Equatable, Codable {
  /// How the network's square input is cut out of the image.
  public enum Crop: Sendable, Equatable, Codable {
    /// The image as it is; all images then need one size.
    case whole
    /// Pad with zeros, then a crop of the image's own size at a random place (CIFAR's recipe).
    case padded(Int)
    /// Shorter side to `resize`, then the middle `size` square (ImageNet's evaluation).
    case center(resize: Int, size: Int)
    /// A random rectangle of `area` (share of the image) and aspect `ratio`, resized to `size`
    /// (Szegedy et al. 2014, arXiv 1409.4842; drawn as torchvision does: ten tries, then centre).
    case randomResized(
      size: Int, area: ClosedRange<Float> = 0.08...1, ratio: ClosedRange<Float> = 0.75...4 / 3)
  }

  public var crop: Crop
  /// Mirror left to right with probability 1/2.
  public var flip: Bool
  /// Brightness is multiplied by a number in `1 - brightness ... 1 + brightness`.
  public var brightness: Float
  /// Colours are blended with grey (ITU-R 601 luma) by a number in `1 - saturation ... 1 + saturation`.
  public var saturation: Float
  /// Side in pixels of a square set to the mean colour, its centre anywhere in the image
  /// (DeVries and Taylor 2017, arXiv 1708.04552); 0 for none.
  public var cutout: Int

  public init(
    crop: Crop = .whole, flip: Bool = false, brightness: Float = 0, saturation: Float = 0,
    cutout: Int = 0
  ) {
    self.crop = crop
    self.flip = flip
    self.brightness = brightness
    self.saturation = saturation
    self.cutout = cutout
  }

  /// Nothing random: what evaluation uses when all images have one size.
  public static let none = Augmentation()
  /// The usual CIFAR recipe: pad 4, random crop, flip.
  public static let cifar = Augmentation(crop: .padded(4), flip: true)

  /// - Throws: `NetworksError` with code `.option`.
  public func validate() throws {
    func check(_ holds: Bool, _ text: String) throws {
      if !holds { throw NetworksError(.option, "augmentation: \(text)") }
    }
    try check((0...1).contains(brightness), "brightness \(brightness) is not in 0...1")
    try check((0...1).contains(saturation), "saturation \(saturation) is not in 0...1")
    try check(cutout >= 0, "cutout \(cutout) is negative")
    switch crop {
    case .whole: break
    case .padded(let padding): try check(padding >= 0, "padding \(padding) is negative")
    case .center(let resize, let size):
      try check(resize > 0 && size > 0, "resize \(resize) and size \(size) must be positive")
    case .randomResized(let size, let area, let ratio):
      try check(size > 0, "size \(size) must be positive")
      try check(area.lowerBound > 0 && area.upperBound <= 1, "area \(area) is not in 0...1")
      try check(ratio.lowerBound > 0, "ratio \(ratio) must be positive")
    }
  }

  /// The augmented image, and the square that cutout hides (columns, rows) if any.
  func apply(
    to original: Image, _ random: inout RandomStream
  ) -> (image: Image, hidden: (x: Range<Int>, y: Range<Int>)?) {
    var image = cut(original, &random)
    if flip, random.uniform() < 0.5 { image = image.flipped() }
    if brightness > 0 {
      image.adjustBrightness(random.uniform(1 - brightness..<1 + brightness))
    }
    if saturation > 0 {
      image.adjustSaturation(random.uniform(1 - saturation..<1 + saturation))
    }
    guard cutout > 0 else { return (image, nil) }
    let x = random.integer(below: image.width) - cutout / 2
    let y = random.integer(below: image.height) - cutout / 2
    let columns = max(0, x)..<min(image.width, x + cutout)
    let rows = max(0, y)..<min(image.height, y + cutout)
    return (image, (columns, rows))
  }

  private func cut(_ image: Image, _ random: inout RandomStream) -> Image {
    switch crop {
    case .whole: return image
    case .padded(let padding):
      let x = random.integer(below: 2 * padding + 1) - padding
      let y = random.integer(below: 2 * padding + 1) - padding
      return image.cropped(x: x, y: y, width: image.width, height: image.height)
    case .center(let resize, let size):
      return image.resized(shorterSide: resize).centerCropped(size)
    case .randomResized(let size, let area, let ratio):
      let box = Self.box(in: image, area: area, ratio: ratio, &random)
      return image.cropped(x: box.x, y: box.y, width: box.width, height: box.height)
        .resized(width: size, height: size)
    }
  }

  private static func box(
    in image: Image, area: ClosedRange<Float>, ratio: ClosedRange<Float>,
    _ random: inout RandomStream
  ) -> (x: Int, y: Int, width: Int, height: Int) {
    let logRatio = log(ratio.lowerBound)..<log(ratio.upperBound)
    for _ in 0..<10 {
      let target =
        Float(image.width * image.height) * random.uniform(area.lowerBound..<area.upperBound)
      let aspect = exp(random.uniform(logRatio))
      let width = Int((target * aspect).squareRoot().rounded())
      let height = Int((target / aspect).squareRoot().rounded())
      if (1...image.width).contains(width), (1...image.height).contains(height) {
        let y = random.integer(below: image.height - height + 1)
        let x = random.integer(below: image.width - width + 1)
        return (x, y, width, height)
      }
    }
    // The largest rectangle in the middle with an allowed ratio.
    var (width, height) = (image.width, image.height)
    let aspect = Float(width) / Float(height)
    if aspect < ratio.lowerBound {
      height = min(height, Int((Float(width) / ratio.lowerBound).rounded()))
    } else if aspect > ratio.upperBound {
      width = min(width, Int((Float(height) * ratio.upperBound).rounded()))
    }
    return ((image.width - width) / 2, (image.height - height) / 2, width, height)
  }
}

extension Image {
  /// Every channel times `factor`, rounded down and cut to 0...255, as PIL's enhancer.
  mutating func adjustBrightness(_ factor: Float) {
    let table = (0..<256).map { UInt8(min(255, Float($0) * factor)) }
    for i in pixels.indices { pixels[i] = table[Int(pixels[i])] }
  }

  /// `grey + factor * (colour - grey)`; grey images stay as they are.
  mutating func adjustSaturation(_ factor: Float) {
    guard channels == 3 else { return }
    for i in stride(from: 0, to: pixels.count, by: 3) {
      // PIL's integer luma: weights 0.299, 0.587, 0.114 in 2^-16.
      let (r, g, b) = (Int(pixels[i]), Int(pixels[i + 1]), Int(pixels[i + 2]))
      let grey = Float((r * 19595 + g * 38470 + b * 7471 + 0x8000) >> 16)
      for c in 0..<3 {
        let value = grey + factor * (Float(pixels[i + c]) - grey)
        pixels[i + c] = UInt8(max(0, min(255, value)))
      }
    }
  }
}
