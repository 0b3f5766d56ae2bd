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
  /// Told after each network.
  public struct Progress {
    public var done: Int
    public var total: Int
    public var sample: Sample
    /// Whether the sample was in the store already.
    public var isKnown: Bool
  }

  /// What a run did.
  public struct Summary: Equatable, Sendable {
    /// In the order of the networks.
    public var samples: [Sample] = []
    public var measured = 0
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
  /// it from a run that didn't come so far; the better try is kept.
  ///
  /// - Throws: `DevicesError`, `StoreError`, and what the sources throw; samples taken so far stay.
  public func collect(
    _ networks: [NetworkToMeasure], again: Bool = false, progress: (Progress) -> Void = { _ in }
  ) throws -> Summary {
    var summary = Summary()
    /// Errors of the medians that are not stable, by index; infinite where the store doesn't know.
    var unstable: [(index: Int, error: Double)] = []
    var lock: FileLock?
    defer { lock?.release() }
    func measure(_ network: NetworkToMeasure) throws -> (sample: Sample, error: Double) {
      if lock == nil { lock = try measurer.lock() }
      let measurement = try measurer.measure(
        network.source(), named: network.id, referenceShare: network.referenceShare)
      let sample = Sample(
        id: network.id, space: network.space, network: network.digest,
        device: measurer.client.device, measurement: measurement)
      return (sample, measurement.statistics.error)
    }
    for (index, network) in networks.enumerated() {
      var known = again ? nil : try self.known(network)
      if known == nil, lock == nil {
        lock = try measurer.lock()
        // Whoever was waited for may have measured it.
        known = again ? nil : try self.known(network)
      }
      var error = Double.infinity
      if let known {
        summary.samples.append(known)
        summary.known += 1
      } else {
        let first = try measure(network)
        try store.add(first.sample, replacing: true)
        summary.samples.append(first.sample)
        summary.measured += 1
        error = first.error
      }
      if summary.samples[index].isStable == false { unstable.append((index, error)) }
      progress(
        Progress(
          done: index + 1, total: networks.count, sample: summary.samples[index],
          isKnown: known != nil))
    }
    for (index, error) in unstable {
      let second = try measure(networks[index])
      if second.sample.isStable == true || second.error < error {
        try store.add(second.sample, replacing: true)
        summary.samples[index] = second.sample
      }
      if summary.samples[index].isStable == false { summary.unstable += 1 }
    }
    return summary
  }

  /// The stored sample of `network`, unless another runtime or processor had the device's name then.
  private func known(_ network: NetworkToMeasure) throws -> Sample? {
    let device = measurer.client.device
    guard
      let sample = try store.sample(
        network: network.digest, device: device.name, conditions: device.conditions)
    else { return nil }
    guard sample.runtime != nil || sample.cpu != nil else { return sample }
    return try measurer.worker().matches(runtime: sample.runtime, cpu: sample.cpu) ? sample : nil
  }
}
