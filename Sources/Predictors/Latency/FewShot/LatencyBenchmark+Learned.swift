internal import Architectures

extension LatencyBenchmark {
  /// Networks of a space that the learned baselines are trained on.
  private static let trainingRows = 2000

  /// HELP's form and one like NASFLAT's, trained on the task's sources and given the same samples.
  /// - Parameters:
  ///   - chosen: rows of the data set that were measured on the device.
  ///   - asked: encodings that are scored.
  func learnedBaselines(
    _ device: String, _ task: Task, _ basis: FewShotBasis, _ dataset: LatencyDataset,
    _ sources: SourceDevices, chosen: [Int], asked: RowMatrix, seed: UInt64
  ) throws -> [(String, [Double])] {
    func features(_ encodings: RowMatrix) -> [[Float]] {
      let columns = basis.features(encodings)[2]
      let used = basis.scales.indices.filter { basis.scales[$0] > 0 }
      let scale = Double(used.count).squareRoot()
      return (0..<columns.rows).map { row in used.map { Float(columns[row, $0] * scale) } }
    }
    var generator = SeededGenerator(seed: seed, stream: "learned baselines of \(task.name)")
    let rows = Array(
      (0..<dataset.genotypes.count).shuffled(using: &generator).prefix(Self.trainingRows))
    /// Latencies of a source; where it was not measured, as its function has them.
    func latencies(_ source: Int, _ rows: [Int]) -> [Float] {
      let fitted = sources.selecting([source]).latencies(dataset.encodings.selecting(rows))
      let measured = dataset.latencies[sources.names[source]]!
      return rows.enumerated().map { place, row in
        Float(measured[row].isFinite ? measured[row] : fitted[place, 0])
      }
    }
    let training = features(dataset.encodings.selecting(rows))
    let byDevice = sources.names.indices.map { latencies($0, rows) }
    let samples = features(dataset.encodings.selecting(chosen))
    let measured = chosen.map { Float(dataset.latencies[device]![$0]) }
    let question = features(asked)
    let help = try HELPBaseline(
      features: training, latencies: byDevice, references: samples,
      referenceLatencies: sources.names.indices.map { latencies($0, chosen) }, seed: seed)
    let nasflat = try NASFLATBaseline(features: training, latencies: byDevice, seed: seed)
    return [
      ("HELP's form", try help.scores(question, references: measured)),
      ("NASFLAT-like", try nasflat.scores(question, features: samples, latencies: measured)),
    ]
  }
}
