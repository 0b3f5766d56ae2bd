import Architectures
import Foundation
import Predictors
import Tensors

/// How many latencies a second the bundled few-shot model predicts, adapted to made-up samples.
enum PredictionSpeed {
  static func rows(_ engine: Engine) throws -> [BenchRow] {
    let space = try SpaceCatalog.standard.space("ofa-mobilenetv3")
    let model = try FewShotModel(contentsOf: FewShotAdaptation.bundledModel())
    let encoder = SpaceEncoder(space)
    let networks = try space.distinctSamples(100_000, seed: 1)
    let chosen = try model.networksToMeasure(20, of: encoder, engine: engine)
    // What the samples say does not matter for the time.
    let cost = try StaticCost.macs.table(for: space)
    let samples = try chosen.map {
      (encoding: try encoder.encode($0), latency: Milliseconds(cost($0) / 1e8))
    }
    var predictor: FewShotPredictor?
    let adapting = try seconds {
      predictor = try model.adapted(to: samples, spaces: [encoder], engine: engine)
    }
    let cold = SpaceEncoder(space)
    let first = try seconds {
      _ = try predictor!.latencies(Array(networks.prefix(20_000)), encoder: cold, engine: engine)
    }
    _ = try predictor!.latencies(networks, encoder: encoder, engine: engine)
    let warm = try seconds {
      _ = try predictor!.latencies(networks, encoder: encoder, engine: engine)
    }
    let texts = seconds {
      engine.parallel(1000) { index in
        guard let graph = try? space.graph(networks[index]) else { return }
        _ = encoder.encoder.encode(graph)
      }
    }
    func row(_ metric: String, _ count: Int, _ value: Double, _ goal: Double?) -> BenchRow {
      BenchRow(
        task: "speed, \(engine.threads) threads", metric: metric, samples: count, value: value,
        spread: nil, reference: goal, source: goal.map { _ in "goal" })
    }
    return [
      row("predictions a second, warm", networks.count, Double(networks.count) / warm, 100_000),
      row("predictions a second, empty caches, lines as text", 20_000, 20_000 / first, 5_000),
      row("graphs built and encoded a second", 1000, 1000 / texts, nil),
      row("seconds to adapt", 20, adapting, 2),
    ]
  }

  private static func seconds(_ body: () throws -> Void) rethrows -> Double {
    let start = ContinuousClock.now
    try body()
    return (ContinuousClock.now - start).seconds
  }
}
