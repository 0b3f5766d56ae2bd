internal import Foundation

/// Images of one size kept decoded in memory, as bytes: CIFAR-10 takes 150 MB instead of the
/// 600 MB of floats.
public struct MemoryImages: ImageDataset {
  public let width: Int
  public let height: Int
  public let channels: Int
  public let classNames: [String]
  /// `[count, height, width, channels]`.
  public let pixels: [UInt8]
  public let labels: [Int]

  /// - Throws: `NetworksError` if sizes or labels do not fit each other.
  public init(
    width: Int, height: Int, channels: Int, classNames: [String], pixels: [UInt8], labels: [Int]
  ) throws {
    guard pixels.count == labels.count * width * height * channels else {
      throw NetworksError(
        .damaged,
        "\(labels.count) images of \(height)x\(width)x\(channels) need "
          + "\(labels.count * width * height * channels) bytes, got \(pixels.count)")
    }
    if let position = labels.firstIndex(where: { !classNames.indices.contains($0) }) {
      throw NetworksError(
        .damaged, "image \(position): label \(labels[position]) of \(classNames.count) classes")
    }
    self.width = width
    self.height = height
    self.channels = channels
    self.classNames = classNames
    self.pixels = pixels
    self.labels = labels
  }

  public var count: Int { labels.count }
  public func label(at index: Int) -> Int { labels[index] }

  public func image(at index: Int) -> Image {
    let size = width * height * channels
    return Image(
      width: width, height: height, channels: channels,
      pixels: Array(pixels[index * size..<(index + 1) * size]))
  }

  /// Every image of `dataset`, decoded once. All need one size.
  /// - Throws: the data set's own error, or `NetworksError` naming the first image of another size.
  public init(decoding dataset: any ImageDataset) throws {
    guard dataset.count > 0 else { throw NetworksError(.option, "decoding: no images") }
    let first = try dataset.image(at: 0)
    let size = first.pixels.count
    var pixels = [UInt8]()
    pixels.reserveCapacity(size * dataset.count)
    // Blocks keep the order while both cores decode.
    let block = 512
    for start in stride(from: 0, to: dataset.count, by: block) {
      let count = min(block, dataset.count - start)
      let slots = try Concurrent.map(count) { try dataset.image(at: start + $0) }
      for (offset, image) in slots.enumerated() {
        guard image.width == first.width, image.height == first.height,
          image.channels == first.channels
        else {
          throw NetworksError(
            .sizes,
            "image \(start + offset): \(image.height)x\(image.width)x\(image.channels), "
              + "the first has \(first.height)x\(first.width)x\(first.channels)")
        }
        pixels.append(contentsOf: image.pixels)
      }
    }
    try self.init(
      width: first.width, height: first.height, channels: first.channels,
      classNames: dataset.classNames, pixels: pixels,
      labels: (0..<dataset.count).map(dataset.label(at:)))
  }
}

/// A parallel map for work that may throw; the first error by position wins.
enum Concurrent {
  static func map<Value: Sendable>(
    _ count: Int, _ body: @Sendable (Int) throws -> Value
  ) throws -> [Value] {
    let results = Results<Value>(count)
    DispatchQueue.concurrentPerform(iterations: count) { i in
      let result = Result { try body(i) }
      results.lock.withLock { results.values[i] = result }
    }
    return try results.values.map { slot in
      guard let slot else { throw NetworksError(.file, "image not decoded") }
      return try slot.get()
    }
  }

  /// `values` is only touched under `lock`, and read after the loop has ended.
  private final class Results<Value: Sendable>: @unchecked Sendable {
    let lock = NSLock()
    var values: [Result<Value, any Error>?]
    init(_ count: Int) { values = Array(repeating: nil, count: count) }
  }
}
