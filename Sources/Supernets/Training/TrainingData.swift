public import Architectures
internal import Foundation
public import Networks
public import Tensors

/// The images a supernet is trained and judged on, at any resolution its subnets ask for.
public struct TrainingData: Sendable {
  public let training: any ImageDataset
  /// Held out of training by seed.
  public let validation: any ImageDataset
  public let test: (any ImageDataset)?
  public let normalization: Normalization
  /// What tells these images from others, and how they are divided.
  public let identity: String
  /// Side of the images that batches hold; subnets resample them.
  public let side: Int
  /// What the shorter side of larger images becomes before their middle is cut out; nil for small
  /// squares, which are kept.
  public var resize: Int? { isSmall ? nil : (side * 8 + 6) / 7 }
  let skipsBroken: Bool
  private let isSmall: Bool
  private let seed: UInt64

  public var classNames: [String] { training.classNames }

  /// - Parameters:
  ///   - collection: small squares of one size are kept at their size; others are cut to the largest
  ///     resolution of the space. Grey images are repeated where the space takes more channels.
  ///   - validation: images to hold out.
  ///   - normalization: of the images that weights were trained on; that of these when left out.
  ///   - skipsBroken: leave broken images out instead of failing.
  /// - Throws: `data` if there are too few images, `NetworksError` if their channels don't fit.
  public init(
    _ collection: ImageCollection, _ space: SearchSpace, validation: Int, seed: UInt64,
    normalization: Normalization? = nil, skipsBroken: Bool = false
  ) throws {
    guard validation < collection.training.count else {
      throw SupernetsError(
        .data,
        "\(collection.training.count) images to train on, of which the recipe holds out "
          + "\(validation); lower its 'validation'")
    }
    let images = try collection.training.withChannels(space.inputChannels)
    let (training, held) = try images.split(validation: validation, seed: seed)
    self.training = training
    self.validation = held
    test = try collection.test?.withChannels(space.inputChannels)
    let own = try training.normalization()
    self.normalization = normalization ?? own
    func text(_ values: [Float]) -> String {
      values.map { String(format: "%.4f", $0) }.joined(separator: "/")
    }
    identity =
      "\(training.count)+\(held.count)+\(test?.count ?? 0) images, mean \(text(own.mean)), deviation "
      + "\(text(own.deviation)), seed \(seed), \(training.classNames.joined(separator: ",")), digest "
      + (try Self.digest([training, held] + (test.map { [$0] } ?? [])))
    side = collection.side ?? space.resolution(space.largestGenotype)
    isSmall = collection.side != nil
    self.seed = seed
    self.skipsBroken = skipsBroken
  }

  /// Of all labels and marks, and of the pixels of images at even distances.
  private static func digest(_ parts: [any ImageDataset]) throws -> String {
    var hash = StableHash()
    for part in parts {
      for index in 0..<part.count {
        hash.combine(part.label(at: index))
        hash.combine(try part.mark(at: index))
      }
      for index in stride(from: 0, to: part.count, by: max(1, part.count / 64)) {
        hash.combine(try part.image(at: index).pixels)
      }
    }
    return String(hash.value, radix: 16)
  }

  /// Batches for training: padded crops of small images, random resized crops of others, flipped.
  /// - Throws: `recipe` for a `cutout` that leaves nothing of an image.
  public func trainingLoader(batch: Int, cutout: Int = 0) throws -> BatchLoader {
    guard cutout < side else {
      throw SupernetsError(
        .recipe, "cutout: \(cutout) pixels of images of \(side)x\(side) leave nothing to learn from"
      )
    }
    var augmentation = Augmentation(
      crop: isSmall ? .padded(side / 8) : .randomResized(size: side), flip: true)
    augmentation.cutout = cutout
    return try loader(training, batch, augmentation, shuffle: true, dropsLast: true)
  }

  /// Batches of whole images (small ones) or of their middle (others), in order.
  public func loader(_ dataset: any ImageDataset, batch: Int) throws -> BatchLoader {
    let crop: Augmentation.Crop = resize.map { .center(resize: $0, size: side) } ?? .whole
    return try loader(
      dataset, batch, Augmentation(crop: crop), shuffle: false, dropsLast: false)
  }

  private func loader(
    _ dataset: any ImageDataset, _ batch: Int, _ augmentation: Augmentation, shuffle: Bool,
    dropsLast: Bool
  ) throws -> BatchLoader {
    try BatchLoader(
      dataset,
      BatchLoader.Options(
        batchSize: min(batch, dataset.count), augmentation: augmentation,
        normalization: normalization, shuffle: shuffle, dropsLast: dropsLast,
        skipsBroken: skipsBroken, seed: seed))
  }

  /// A batch as a subnet of `resolution` sees it.
  public func images(_ batch: Tensor, at resolution: Int, engine: Engine) throws -> Tensor {
    try BatchResampler(from: side, to: resolution)(batch, engine: engine)
  }
}
