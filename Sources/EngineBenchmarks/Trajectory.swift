internal import Networks
internal import Tensors

/// Training steps of ResNet-20 from given weights on given batches, and its evaluation after
/// them: the engine's side of Tests/peers/training_parity.py.
public enum Trajectory {
  /// Trains on `file` (safetensors with `network/PATH` in PyTorch's layouts, `images`
  /// `[steps, n, h, w, 3]`, `labels` `[steps, n]`, `test` `[n, h, w, 3]` and `rate` `[1]`) and
  /// writes `losses` `[steps]`, `logits` of the test images and the trained `network/PATH` to
  /// `result`. Half of the steps warm up, the others follow a cosine.
  public static func run(file: String, result: String, threads: Int) throws {
    let tensors = try SafeTensors(contentsOf: file).tensors
    guard let images = tensors["images"], let labels = tensors["labels"],
      let test = tensors["test"], let rate = tensors["rate"]
    else {
      throw NetworksError(.file, "'\(file)' lacks images, labels, test or rate")
    }
    var random = RandomStream(seed: 1)
    let network = ResNet20(classes: 10, &random)
    let prefix = "network/"
    try network.load(
      Dictionary(
        uniqueKeysWithValues: tensors.filter { $0.key.hasPrefix(prefix) }
          .map { (String($0.key.dropFirst(prefix.count)), $0.value) }))
    let engine = try Engine(threads: threads)
    let steps = images.shape[0]
    let trainer = try Trainer(
      network,
      Trainer.Options(
        rule: .sgd(), rate: rate.scalar,
        schedule: Schedule(.cosine(), total: steps, warmUp: steps / 2), weightDecay: 5e-4),
      engine: engine)
    let losses = try (0..<steps).map { step in
      let batch = try images.slice(axis: 0, step..<step + 1)
        .reshaped(Array(images.shape.dropFirst()))
      let numbers = try labels.slice(axis: 0, step..<step + 1).array.map { Int($0) }
      return try trainer.train { pass in
        try network(pass.tape.constant(batch), pass).crossEntropy(labels: numbers)
      }
    }
    var found = try Dictionary(
      uniqueKeysWithValues: network.state().map { (prefix + $0.key, $0.value) })
    found["losses"] = Tensor(losses)
    found["logits"] = try Inference(engine: engine) { try network($0, $1) }(test)
    try SafeTensors(tensors: found).write(to: result)
  }
}
