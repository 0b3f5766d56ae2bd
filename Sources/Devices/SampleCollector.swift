internal import Files
public import Store

/// A network that is to be measured, made when its turn comes.
public struct NetworkToMeasure {
  /// The architecture's id, or the file's name.
  public var id: String
  /// Empty when the network comes from no space.
  public var space: String
  /// The digest of the network's text: what makes two networks the same.
  public var digest: String
  public var source: () throws -> NetworkSource
  /// How much of the machine's slowness it feels; the settings' share when absent.
  public var referenceShare: Double?

  public init(
    id: String, space: String, digest: String, source: @escaping () throws -> NetworkSource
  ) {
    self.id = id
    self.space = space
    self.digest = digest
    self.source = source
  }
}

/// Measures networks into the store, each in its own transaction: a killed run goes on where it was.
public struct SampleCollector {
  /// Told after each network that the device can run.
  public struct Progress {
    /// Of the first tries, or of the second ones.
    public var done: Int
    public var total: Int
    public var sample: Sample
    /// Whether the sample was in the store already.
    public var isKnown = false
    /// Whether the network was measured once more, as its median wasn't stable.
    public var isSecondTry = false
  }

  /// A network that the device cannot run.
  public struct Refusal: Equatable, Sendable {
    public var id: String
    /// What the worker says of it.
    public var error: DevicesError
  }

  /// What a run did.
  public struct Summary: Equatable, Sendable {
    /// In the order of the networks, of those that the device can run.
    public var samples: [Sample] = []
    public var refused: [Refusal] = []
    /// Samples of this run, also of networks that were known and not stable.
    public var measured = 0
    /// Samples that the store had and that were good enough.
    public var known = 0
    /// Samples that are not stable, even after another try.
    public var unstable = 0
  }

  public let store: Store
  public let measurer: Measurer

  public init(store: Store, measurer: Measurer) {
    self.store = store
    self.measurer = measurer
    measurer.store = store
  }

  /// Measures `networks`; those that are in the store already only if `again`. What is not stable is
  /// measured a second time at the end, when the disturbance may have passed, also if the store has
  /// it from a run that didn't come so far; the better try is kept. Networks that the device refuses
  /// are passed over.
  ///
  /// - Throws: `DevicesError`, `StoreError`, and what the sources throw; samples taken so far stay.
  public func collect(
    _ networks: [NetworkToMeasure], again: Bool = false, progress: (Progress) -> Void = { _ in }
  ) throws -> Summary {
    var summary = Summary()
    /// What is not stable: where its sample stands, and its median's error, which the store doesn't
    /// know.
    var unstable: [(index: Int, network: NetworkToMeasure, error: Double?)] = []
    var lock: FileLock?
    defer { lock?.release() }
    func measure(
      _ network: NetworkToMeasure
    ) throws -> (sample: Sample, statistics: MeasurementStatistics) {
      if lock == nil { lock = try measurer.lock() }
      let measurement = try measurer.measure(
        network.source(), named: network.id, referenceShare: network.referenceShare)
      let sample = Sample(
        id: network.id, space: network.space, network: network.digest,
        device: measurer.client.device, measurement: measurement)
      return (sample, measurement.statistics)
    }
    func stored(_ network: NetworkToMeasure) throws -> Sample? {
      again ? nil : try known(network)
    }
    for (index, network) in networks.enumerated() {
      var known = try stored(network)
      if known == nil, lock == nil {
        lock = try measurer.lock()
        // Whoever was waited for may have measured it.
        known = try stored(network)
      }
      let sample: Sample
      var error: Double?
      if let known {
        sample = known
        summary.known += 1
      } else {
        do {
          let first = try measure(network)
          sample = first.sample
          error = first.statistics.error
        } catch let error as DevicesError where error.code == .badNetwork {
          summary.refused.append(Refusal(id: network.id, error: error))
          continue
        }
        try store.add(sample, replacing: true)
        summary.measured += 1
      }
      if sample.isStable == false { unstable.append((summary.samples.count, network, error)) }
      summary.samples.append(sample)
      progress(
        Progress(done: index + 1, total: networks.count, sample: sample, isKnown: known != nil))
    }
    for (number, (index, network, error)) in unstable.enumerated() {
      do {
        let second = try measure(network)
        // Without an error it is the store's, and was counted as known.
        if error == nil {
          summary.known -= 1
          summary.measured += 1
        }
        if second.statistics.improves(onError: error) {
          try store.add(second.sample, replacing: true)
          summary.samples[index] = second.sample
        }
      } catch let refusal as DevicesError where refusal.code == .badNetwork {
        // It ran before: that try is the better one.
      }
      if summary.samples[index].isStable == false { summary.unstable += 1 }
      progress(
        Progress(
          done: number + 1, total: unstable.count, sample: summary.samples[index],
          isSecondTry: true))
    }
    return summary
  }

  /// The sample of one network, taken as `collect` does.
  ///
  /// - Throws: what `collect` throws, and `DevicesError.badNetwork` where the device cannot run it.
  public func sample(of network: NetworkToMeasure, again: Bool = false) throws -> Sample {
    let summary = try collect([network], again: again)
    if let refusal = summary.refused.first { throw refusal.error }
    return summary.samples[0]
  }

  /// The stored sample of `network`, unless another runtime or processor had the device's name then.
  private func known(_ network: NetworkToMeasure) throws -> Sample? {
    let device = measurer.client.device
    guard
      let sample = try store.sample(
        network: network.digest, device: device.name, conditions: device.conditions)
    else { return nil }
    guard sample.runtime != nil || sample.cpu != nil else { return sample }
    return try measurer.worker().circumstances.agrees(with: sample.circumstances) ? sample : nil
  }
}
