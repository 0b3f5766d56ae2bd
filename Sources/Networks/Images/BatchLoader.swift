internal import Foundation
internal import Tensors

/// Images ready for a network, with what they show.
public struct ImageBatch: Sendable {
  /// Normalised pixels, `[count, height, width, channels]`.
  public var pixels: [Float]
  /// `[count, height, width, channels]`.
  public var shape: [Int]
  public var labels: [Int]
  /// Broken images that were left out, if the loader was told to go on.
  public var broken: [NetworksError]
}

/// Cuts a data set into batches and prepares them ahead of the training step, on background
/// threads.
///
/// Batch `step` of epoch `epoch` depends on the seed and these two numbers only, never on timing:
/// a training run is resumed by asking for the next step.
public final class BatchLoader: Sendable {
  public struct Options: Sendable {
    public var batchSize: Int
    public var augmentation: Augmentation
    public var normalization: Normalization
    public var shuffle: Bool
    /// Leave out the last batch of an epoch if it is smaller.
    public var dropsLast: Bool
    /// Leave broken images out of their batch and report them there, instead of throwing.
    public var skipsBroken: Bool
    /// Batches prepared ahead; that many threads may be at it.
    public var ahead: Int
    public var seed: UInt64

    public init(
      batchSize: Int, augmentation: Augmentation = .none, normalization: Normalization,
      shuffle: Bool = true, dropsLast: Bool = true, skipsBroken: Bool = false, ahead: Int = 2,
      seed: UInt64 = 1
    ) {
      self.batchSize = batchSize
      self.augmentation = augmentation
      self.normalization = normalization
      self.shuffle = shuffle
      self.dropsLast = dropsLast
      self.skipsBroken = skipsBroken
      self.ahead = ahead
      self.seed = seed
    }
  }

  public let dataset: any ImageDataset
  public let options: Options
  private let queue = DispatchQueue(label: "swiftlet.batches", attributes: .concurrent)

  /// - Throws: `NetworksError` for options that make no sense.
  public init(_ dataset: any ImageDataset, _ options: Options) throws {
    guard options.batchSize > 0, options.ahead > 0 else {
      throw NetworksError(
        .option, "batch size \(options.batchSize) and ahead \(options.ahead) must be positive")
    }
    try options.augmentation.validate()
    self.dataset = dataset
    self.options = options
    guard stepsPerEpoch > 0 else {
      throw NetworksError(
        .option, "\(dataset.count) images do not fill a batch of \(options.batchSize)")
    }
  }

  public var stepsPerEpoch: Int {
    options.dropsLast
      ? dataset.count / options.batchSize
      : (dataset.count + options.batchSize - 1) / options.batchSize
  }

  /// The positions in the data set in the order of `epoch`.
  public func order(epoch: Int) -> [Int] {
    guard options.shuffle else { return Array(0..<dataset.count) }
    var random = RandomStream(seed: options.seed).derived("order").derived(epoch)
    return random.permutation(dataset.count)
  }

  /// The batches of `epoch` from `start` on, prepared ahead while the caller computes.
  public func batches(epoch: Int, from start: Int = 0) -> Batches {
    Batches(self, epoch: epoch, start: start)
  }

  /// Prepares one batch on the calling thread.
  public func batch(epoch: Int, step: Int, order: [Int]) throws -> ImageBatch {
    let first = step * options.batchSize
    let positions = order[first..<min(order.count, first + options.batchSize)]
    var batch = ImageBatch(pixels: [], shape: [], labels: [], broken: [])
    var writer: PixelWriter?
    let stream = RandomStream(seed: options.seed).derived("augmentation").derived(epoch)
    for position in positions {
      var random = stream.derived(position)
      let image: Image
      do {
        image = try dataset.image(at: position)
      } catch let error as NetworksError where options.skipsBroken {
        batch.broken.append(error)
        continue
      }
      let (ready, hidden) = options.augmentation.apply(to: image, &random)
      let size = [ready.height, ready.width, ready.channels]
      if writer == nil {
        writer = try PixelWriter(options.normalization, channels: ready.channels)
        batch.shape = [0] + size
        batch.pixels.reserveCapacity(positions.count * ready.pixels.count)
      }
      guard Array(batch.shape.dropFirst()) == size else {
        throw NetworksError(
          .damaged,
          "image \(position): \(size) after augmentation, others \(batch.shape.dropFirst()); "
            + "choose a crop that gives one size")
      }
      writer?.append(ready, hidden: hidden, to: &batch.pixels)
      batch.labels.append(dataset.label(at: position))
    }
    guard !batch.labels.isEmpty else {
      throw NetworksError(
        .damaged, "epoch \(epoch), batch \(step): every image is broken",
        cause: "\(batch.broken[0])")
    }
    batch.shape[0] = batch.labels.count
    return batch
  }

  /// The rest of one epoch. Dropping it leaves at most `ahead` batches to be finished in vain.
  public struct Batches: Sequence, IteratorProtocol {
    private let loader: BatchLoader
    private let epoch: Int
    private let order: [Int]
    private var pending: [Promise] = []
    private var scheduled: Int

    init(_ loader: BatchLoader, epoch: Int, start: Int) {
      self.loader = loader
      self.epoch = epoch
      order = loader.order(epoch: epoch)
      scheduled = start
      for _ in 0..<loader.options.ahead { schedule() }
    }

    /// The next batch, or its error; nil at the end of the epoch.
    public mutating func next() -> Result<ImageBatch, any Error>? {
      guard !pending.isEmpty else { return nil }
      let result = pending.removeFirst().wait()
      schedule()
      return result
    }

    private mutating func schedule() {
      guard scheduled < loader.stepsPerEpoch else { return }
      let (loader, epoch, step, order) = (loader, epoch, scheduled, order)
      let promise = Promise()
      loader.queue.async {
        promise.fulfil(Result { try loader.batch(epoch: epoch, step: step, order: order) })
      }
      pending.append(promise)
      scheduled += 1
    }
  }

  /// `result` is written once before the semaphore is signalled and read after it was awaited.
  private final class Promise: @unchecked Sendable {
    private var result: Result<ImageBatch, any Error>?
    private let ready = DispatchSemaphore(value: 0)

    func fulfil(_ result: Result<ImageBatch, any Error>) {
      self.result = result
      ready.signal()
    }

    func wait() -> Result<ImageBatch, any Error>? {
      ready.wait()
      return result
    }
  }
}

/// Turns bytes into normalised floats through one table a channel.
private struct PixelWriter {
  /// `[channels, 256]`.
  private let tables: [Float]

  init(_ normalization: Normalization, channels: Int) throws {
    guard normalization.mean.count == channels, normalization.deviation.count == channels else {
      throw NetworksError(
        .option, "normalization of \(normalization.mean.count) channels, images have \(channels)")
    }
    tables = (0..<channels).flatMap { c in
      (0..<256).map { (Float($0) / 255 - normalization.mean[c]) / normalization.deviation[c] }
    }
  }

  func append(
    _ image: Image, hidden: (x: Range<Int>, y: Range<Int>)?, to pixels: inout [Float]
  ) {
    let start = pixels.count
    let channels = image.channels
    pixels.append(contentsOf: repeatElement(0, count: image.pixels.count))
    for c in 0..<channels {
      for i in stride(from: c, to: image.pixels.count, by: channels) {
        pixels[start + i] = tables[c * 256 + Int(image.pixels[i])]
      }
    }
    guard let hidden else { return }
    for y in hidden.y {
      let row = start + y * image.width * channels
      for i in row + hidden.x.lowerBound * channels..<row + hidden.x.upperBound * channels {
        pixels[i] = 0
      }
    }
  }
}
