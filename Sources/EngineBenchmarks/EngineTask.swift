internal import Networks
internal import Tensors

/// One thing that Benchmarks/engine_pytorch.py times, by its name there.
public struct EngineTask {
  private let body: () throws -> Void

  /// - Throws: `NetworksError` for a name that is none.
  public init(_ name: String, threads: Int) throws {
    let parts = name.split(separator: ":").map(String.init)
    let engine = try Engine(threads: threads)
    guard parts.count == 2 else { throw NetworksError(.option, "no benchmark '\(name)'") }
    switch parts[0] {
    case "step" where parts[1] == "mlp": body = try Self.regression(engine)
    case "step": body = try Self.training(parts[1], engine)
    case "infer1": body = try Self.inference(parts[1], batch: 1, engine)
    case "infer64": body = try Self.inference(parts[1], batch: 64, engine)
    case "kernel": body = try Self.kernel(parts[1], engine)
    case "loader": body = try Self.loader()
    default: throw NetworksError(.option, "no benchmark '\(name)'")
    }
  }

  public func run() throws { try body() }

  /// KiB by which three runs raise the process's high-water mark above what it held before.
  public static func memory(_ name: String, threads: Int) throws -> Int {
    let before = ProcessMemory.resident
    let task = try EngineTask(name, threads: threads)
    for _ in 0..<3 { try task.run() }
    return ProcessMemory.peak - before
  }

  private static func network(_ name: String) throws -> any UnaryLayer {
    var random = RandomStream(seed: 1)
    if name == "resnet20" { return ResNet20(classes: 10, &random) }
    guard let shape = MobileNetwork.names[name] else {
      throw NetworksError(.option, "no benchmark network '\(name)'")
    }
    return MobileNetwork(shape, &random)
  }

  private static func trainer(_ network: any Layer, _ engine: Engine) throws -> Trainer {
    try Trainer(
      network,
      Trainer.Options(
        rule: .sgd(), rate: 0.01, schedule: Schedule(.constant, total: 1), weightDecay: 1e-4),
      engine: engine)
  }

  /// A training step on 64 images.
  private static func training(_ name: String, _ engine: Engine) throws -> () throws -> Void {
    let network = try network(name)
    let trainer = try trainer(network, engine)
    var random = RandomStream(seed: 2)
    let images = random.normal([64, 32, 32, 3])
    let labels = (0..<64).map { $0 % 10 }
    return {
      _ = try trainer.train { pass in
        try network(pass.tape.constant(images), pass).crossEntropy(labels: labels)
      }
    }
  }

  /// A step of the 128-400-400-400-1 regression on 256 rows.
  private static func regression(_ engine: Engine) throws -> () throws -> Void {
    var random = RandomStream(seed: 1)
    let network = MLP([128, 400, 400, 400, 1], &random)
    let trainer = try trainer(network, engine)
    let (x, y) = (random.normal([256, 128]), random.normal([256, 1]))
    return {
      _ = try trainer.train { pass in
        try network(pass.tape.constant(x), pass).meanSquaredError(pass.tape.constant(y))
      }
    }
  }

  /// Logits of a batch, weights and statistics as after a few batches.
  private static func inference(
    _ name: String, batch: Int, _ engine: Engine
  ) throws -> () throws -> Void {
    let network = try network(name)
    var random = RandomStream(seed: 2)
    try network.recalibrate {
      for _ in 0..<3 {
        let pass = Pass.inference(engine)
        _ = try network(pass.tape.constant(random.normal([64, 32, 32, 3])), pass).value
      }
    }
    let images = random.normal([batch, 32, 32, 3])
    let inference = try Inference(engine: engine) { x, pass in try network(x, pass) }
    return { _ = try inference(images) }
  }

  /// One operator, forward or for one of its gradients: 144 channels (64 for the dense one), 16
  /// images of 32x32.
  private static func kernel(_ name: String, _ engine: Engine) throws -> () throws -> Void {
    var random = RandomStream(seed: 1)
    if name == "gemm" {
      let (a, b) = (random.normal([1024, 1024]), random.normal([1024, 1024]))
      return {
        let tape = Tape(engine, recording: false)
        _ = try tape.constant(a).matmul(tape.constant(b)).value
      }
    }
    let parts = name.split(separator: ".").map(String.init)
    let kernels = ["dw3": 3, "dw5": 5, "dw7": 7, "pointwise": 1, "conv3": 3]
    guard parts.count == 2, let kernel = kernels[parts[0]] else {
      throw NetworksError(.option, "no benchmark kernel '\(name)'")
    }
    let channels = parts[0] == "conv3" ? 64 : 144
    let isDepthwise = parts[0].hasPrefix("dw")
    let shape =
      isDepthwise ? [kernel, kernel, channels] : [kernel, kernel, channels, channels]
    let x = random.normal([16, 32, 32, channels])
    let weight = random.normal(shape)
    let options = Convolution(kernel: kernel, groups: isDepthwise ? channels : 1)
    if parts[1] == "forward" {
      return {
        let tape = Tape(engine, recording: false)
        _ = try tape.constant(x).convolution(tape.constant(weight), options).value
      }
    }
    // The forward pass is run once; the gradient alone is timed.
    let tape = Tape(engine)
    let leaf = tape.leaf(parts[1] == "input" ? x : weight)
    let y =
      try parts[1] == "input"
      ? leaf.convolution(tape.constant(weight), options)
      : tape.constant(x).convolution(leaf, options)
    let seed = random.normal(y.shape)
    return { _ = try tape.gradients(of: y, for: [leaf], seed: seed, keepGraph: true) }
  }

  /// A batch of 64 with CIFAR's augmentation, prepared on the calling thread.
  private static func loader() throws -> () throws -> Void {
    let images = try MemoryImages.procedural(count: 2048, classes: 10, size: 32, seed: 1)
    let loader = try BatchLoader(
      images,
      BatchLoader.Options(
        batchSize: 64, augmentation: .cifar, normalization: try images.normalization()))
    let order = loader.order(epoch: 0)
    var step = 0
    return {
      _ = try loader.batch(epoch: 0, step: step % loader.stepsPerEpoch, order: order)
      step += 1
    }
  }
}
