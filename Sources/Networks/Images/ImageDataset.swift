internal import Tensors

/// Labelled images, read by position. Reading must depend on nothing but the position: samples are
/// read from several threads, ahead of time.
public protocol ImageDataset: Sendable {
  var count: Int { get }
  /// One name a class; labels are positions in it.
  var classNames: [String] { get }
  func label(at index: Int) -> Int
  /// - Throws: `NetworksError` naming the file if the image is broken.
  func image(at index: Int) throws -> Image
  /// What tells the image from others without decoding it: its pixels, unless they are in a file.
  func mark(at index: Int) throws -> [UInt8]
}

extension ImageDataset {
  public func mark(at index: Int) throws -> [UInt8] { try image(at: index).pixels }
}

/// Some images of another data set.
public struct ImageSubset: ImageDataset {
  public let base: any ImageDataset
  public let indices: [Int]

  public init(of base: any ImageDataset, indices: [Int]) {
    self.base = base
    self.indices = indices
  }

  public var count: Int { indices.count }
  public var classNames: [String] { base.classNames }
  public func label(at index: Int) -> Int { base.label(at: indices[index]) }
  public func image(at index: Int) throws -> Image { try base.image(at: indices[index]) }
  public func mark(at index: Int) throws -> [UInt8] { try base.mark(at: indices[index]) }
}

/// Grey images with their channel repeated, as grey picture files are read.
private struct RepeatedChannel: ImageDataset {
  let base: any ImageDataset
  let channels: Int

  var count: Int { base.count }
  var classNames: [String] { base.classNames }
  func label(at index: Int) -> Int { base.label(at: index) }
  func mark(at index: Int) throws -> [UInt8] { try base.mark(at: index) }
  func image(at index: Int) throws -> Image {
    let grey = try base.image(at: index)
    return Image(
      width: grey.width, height: grey.height, channels: channels,
      pixels: grey.pixels.flatMap { repeatElement($0, count: channels) })
  }
}

/// The mean and standard deviation of each channel, of pixels scaled to 0...1.
public struct Normalization: Sendable, Equatable, Codable {
  public var mean: [Float]
  public var deviation: [Float]

  public init(mean: [Float], deviation: [Float]) {
    self.mean = mean
    self.deviation = deviation
  }
}

extension ImageDataset {
  /// The same images with `channels` channels: grey ones are repeated.
  /// - Throws: `NetworksError` if they have another number, more than one.
  public func withChannels(_ channels: Int) throws -> any ImageDataset {
    guard count > 0 else { return self }
    let found = try image(at: 0).channels
    if found == channels { return self }
    guard found == 1 else {
      throw NetworksError(
        .option, "images of \(found) channels, networks that take \(channels) (input_channels)")
    }
    return RepeatedChannel(base: self, channels: channels)
  }

  /// `validation` images drawn by `seed`, and the rest, each in the data set's order.
  /// - Throws: `NetworksError` if there are not that many.
  public func split(validation: Int, seed: UInt64) throws -> (
    training: ImageSubset, validation: ImageSubset
  ) {
    guard (0...count).contains(validation) else {
      throw NetworksError(.option, "split: \(validation) validation images of \(count)")
    }
    var random = RandomStream(seed: seed).derived("split")
    let order = random.permutation(count)
    return (
      ImageSubset(of: self, indices: order[validation...].sorted()),
      ImageSubset(of: self, indices: order[..<validation].sorted())
    )
  }

  /// Mean and deviation of the pixels of at most `limit` images, taken at even distances. The sums
  /// are integers, hence exact.
  public func normalization(limit: Int = 10_000) throws -> Normalization {
    var sums: [(count: Int, sum: Int, squares: Int)] = []
    for position in stride(from: 0, to: count, by: max(1, (count + limit - 1) / max(1, limit))) {
      let image = try image(at: position)
      if sums.isEmpty { sums = Array(repeating: (0, 0, 0), count: image.channels) }
      guard image.channels == sums.count else {
        throw NetworksError(
          .damaged, "image \(position): \(image.channels) channels, not \(sums.count)")
      }
      for c in 0..<image.channels {
        var (sum, squares) = (0, 0)
        for i in stride(from: c, to: image.pixels.count, by: image.channels) {
          let value = Int(image.pixels[i])
          sum += value
          squares += value * value
        }
        sums[c].count += image.width * image.height
        sums[c].sum += sum
        sums[c].squares += squares
      }
    }
    guard !sums.isEmpty else {
      throw NetworksError(.option, "normalization: the data set is empty")
    }
    let means = sums.map { Double($0.sum) / Double($0.count) }
    let deviations = zip(sums, means).map { sums, mean in
      max(0, Double(sums.squares) / Double(sums.count) - mean * mean).squareRoot()
    }
    // A constant channel must not divide by zero.
    return Normalization(
      mean: means.map { Float($0 / 255) }, deviation: deviations.map { Float(max($0, 1) / 255) })
  }
}
