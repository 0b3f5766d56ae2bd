internal import Networks
public import Tensors

/// Gives a subnet's norms the statistics of images that it has not been trained with alone: the
/// shared ones of the supernet fit none of its subnets (Cai et al. 2020, arXiv 1908.09791).
public struct Recalibrator: Sendable {
  /// Images that the statistics come from.
  public let count: Int
  private let batches: [Tensor]
  private let side: Int

  /// - Parameter images: how many training images, as training shows them and drawn by the data's
  ///   seed, in batches of 50: their activations fit a cache better than larger ones. All there are
  ///   if that is fewer.
  public init(_ data: TrainingData, images: Int) throws {
    let images = min(images, data.training.count)
    let loader = try data.trainingLoader(batch: min(50, images))
    var (batches, count) = ([Tensor](), 0)
    // Epochs that training does not reach; more than one where the last batch is dropped.
    var epoch = 1_000_000
    while count < images {
      for batch in loader.batches(epoch: epoch) where count < images {
        let batch = try batch.get()
        let taken = min(batch.labels.count, images - count)
        let share = batch.pixels.count / batch.labels.count
        batches.append(
          try Tensor(
            Array(batch.pixels.prefix(taken * share)), shape: [taken] + batch.shape.dropFirst()))
        count += taken
      }
      epoch += 1
    }
    self.batches = batches
    self.count = count
    side = data.side
  }

  /// - Parameter calibration: normalised images, `[N, side, side, C]`.
  public init(calibration: Tensor) {
    batches = [calibration]
    count = calibration.shape[0]
    side = calibration.shape[1]
  }

  public func callAsFunction(_ network: ExtractedNetwork, _ engine: Engine) throws {
    let resampler = BatchResampler(from: side, to: network.subnet.resolution)
    try network.recalibrate {
      for batch in batches {
        let pass = Pass.inference(engine)
        _ = try network(pass.tape.constant(resampler(batch, engine: engine)), pass)
      }
    }
  }
}
