public import Architectures
public import Store
public import Tensors

extension LatencyDataset {
  /// Samples of any devices, a data set a space; a network that was measured on some devices only has
  /// no latency on the others.
  /// - Throws: `ArchitecturesError` for an id that is none of its space's.
  public static func datasets(
    of samples: [Sample], space: (String) throws -> SearchSpace, engine: Engine? = nil
  ) throws -> [LatencyDataset] {
    let bySpace = Dictionary(grouping: samples, by: \.space).sorted { $0.key < $1.key }
    return try bySpace.map { name, samples in
      let space = try space(name)
      var rows: [Genotype: Int] = [:]
      var genotypes: [Genotype] = []
      let places = try samples.map { sample in
        let genotype = try space.genotype(id: sample.id)
        if let row = rows[genotype] { return row }
        rows[genotype] = genotypes.count
        genotypes.append(genotype)
        return genotypes.count - 1
      }
      var latencies: [String: [Double]] = [:]
      for (sample, row) in zip(samples, places) {
        let empty = [Double](repeating: .nan, count: genotypes.count)
        latencies[sample.device, default: empty][row] = sample.latencyMedian.value
      }
      return try LatencyDataset(
        space: space, genotypes: genotypes, latencies: latencies, engine: engine)
    }
  }
}
