internal import Networks
internal import Tensors

/// Images that many subnets are evaluated on: kept decoded up to a gigabyte, else read each time.
struct EvaluationImages: Sendable {
  struct Batch: Sendable {
    /// `[N, side, side, C]`, normalised.
    var images: Tensor
    var labels: [Int]
  }

  private let loader: BatchLoader
  private let kept: [Batch]?

  init(_ data: TrainingData, _ dataset: any ImageDataset) throws {
    loader = try data.loader(dataset, batch: 200)
    let bytes = dataset.count * data.side * data.side * data.normalization.mean.count * 4
    kept = bytes <= 1 << 30 ? try loader.batches(epoch: 0).map(Self.batch) : nil
  }

  private static func batch(_ result: Result<ImageBatch, any Error>) throws -> Batch {
    let batch = try result.get()
    return Batch(images: try Tensor(batch.pixels, shape: batch.shape), labels: batch.labels)
  }

  /// Hands over the batches in order.
  func read(_ body: (Batch) throws -> Void) throws {
    if let kept { return try kept.forEach(body) }
    for result in loader.batches(epoch: 0) { try body(Self.batch(result)) }
  }
}
