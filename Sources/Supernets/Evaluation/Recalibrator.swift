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
  ///   seed, in batches of 50: their activations fit a cache better than larger ones.
  public init(_ data: TrainingData, images: Int) throws {
    let loader = try data.trainingLoader(batch: min(50, images))
    var (batches, count) = ([Tensor](), 0)
    // An epoch that training does not reach.
    for batch in loader.batches(epoch: 1_000_000) {
      guard count < images else { break }
      let batch = try batch.get()
      batches.append(try Tensor(batch.pixels, shape: batch.shape))
      count += batch.labels.count
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
