import Foundation
import Networks
import Tensors

/// A short training run for the test that kills it: `TrainingProbe FOLDER STEPS`.
///
/// It resumes from FOLDER/checkpoint.safetensors if that exists, says each step on stdout, saves
/// after every second one, and in the end writes FOLDER/final.safetensors.
@main struct TrainingProbe {
  static func main() throws {
    let arguments = CommandLine.arguments
    guard arguments.count == 3, let steps = Int(arguments[2]) else { exit(64) }
    let folder = arguments[1]
    let images = try MemoryImages.procedural(count: 200, classes: 4, size: 8, seed: 4)
    let loader = try BatchLoader(
      images,
      BatchLoader.Options(
        batchSize: 16,
        augmentation: Augmentation(crop: .padded(1), flip: true, brightness: 0.2, cutout: 2),
        normalization: try images.normalization(), seed: 5))
    var random = RandomStream(seed: 6)
    let network = MLP([8 * 8 * 3, 32, 32, 4], activation: .hardSwish, &random)
    let trainer = try Trainer(
      network,
      Trainer.Options(
        rule: .sgd(), rate: 0.05, schedule: Schedule(.cosine(), total: steps, warmUp: 5),
        weightDecay: 1e-3, clipNorm: 2, averageDecay: 0.95, seed: 7),
      engine: try Engine(threads: 2))
    let checkpoint = "\(folder)/checkpoint.safetensors"
    try trainer.resume(from: checkpoint)
    let epochs = (steps + loader.stepsPerEpoch - 1) / loader.stepsPerEpoch
    let training = ImageTraining(epochs: epochs, labelSmoothing: 0.1, mixup: 0.2)
    try trainer.fit(loader, training) { x, pass in
      try network(x.reshaped([x.shape[0], -1]), pass)
    } progress: { step, loss, _ in
      print("step \(step) \(loss)")
      fflush(nil)
      if step.isMultiple(of: 2) { try trainer.save(to: checkpoint) }
    }
    try trainer.save(to: "\(folder)/final.safetensors")
  }
}
