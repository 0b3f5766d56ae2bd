public import Networks
public import Tensors

/// The images a supernet is trained and judged on, at any resolution its subnets ask for.
public struct TrainingData: Sendable {
  public let training: any ImageDataset
  /// Held out of training by seed.
  public let validation: any ImageDataset
  public let test: (any ImageDataset)?
  public let normalization: Normalization
  /// Side of the images that batches hold; subnets resample them.
  public let side: Int
  private let isSmall: Bool
  private let seed: UInt64
  private let skipsBroken: Bool

  public var classNames: [String] { training.classNames }

  /// - Parameters:
  ///   - collection: small squares of one size are kept at their size; others are cut to
  ///     `resolution`.
  ///   - resolution: the largest of the space.
  ///   - validation: images to hold out.
  ///   - skipsBroken: leave broken images out instead of failing.
  /// - Throws: `NetworksError` if there are too few images.
  public init(
    _ collection: ImageCollection, resolution: Int, validation: Int, seed: UInt64,
    skipsBroken: Bool = false
  ) throws {
    let (training, held) = try collection.training.split(validation: validation, seed: seed)
    self.training = training
    self.validation = held
    test = collection.test
    normalization = try training.normalization()
    side = collection.side ?? resolution
    isSmall = collection.side != nil
    self.seed = seed
    self.skipsBroken = skipsBroken
  }

  /// Batches for training: padded crops of small images, random resized crops of others, flipped.
  public func trainingLoader(batch: Int, cutout: Int = 0) throws -> BatchLoader {
    var augmentation = Augmentation(
      crop: isSmall ? .padded(side / 8) : .randomResized(size: side), flip: true)
    augmentation.cutout = cutout
    return try loader(training, batch, augmentation, shuffle: true, dropsLast: true)
  }

  /// Batches of whole images (small ones) or of their middle (others), in order.
  public func loader(_ dataset: any ImageDataset, batch: Int) throws -> BatchLoader {
    let crop: Augmentation.Crop =
      isSmall ? .whole : .center(resize: (side * 8 + 6) / 7, size: side)
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
