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
    /// Samples that are not stable, even after a second try.
    public var unstable = 0
  }

  public let store: Store
  public let measurer: Measurer

  public init(store: Store, measurer: Measurer) {
    self.store = store
    self.measurer = measurer
  }

  /// Measures `networks`; those that are in the store already only if `again`. What is not stable is
  /// measured a second time at the end, when the disturbance may have passed.
  ///
  /// - Throws: `DevicesError`, `StoreError`, and what the sources throw; samples taken so far stay.
  public func collect(
    _ networks: [NetworkToMeasure], again: Bool = false, progress: (Progress) -> Void = { _ in }
  ) throws -> Summary {
    let device = measurer.client.device
    var summary = Summary()
    var unstable: [Int] = []
    for (index, network) in networks.enumerated() {
      let known = try store.sample(
        network: network.digest, device: device.name, conditions: device.conditions)
      if let known, !again {
        summary.samples.append(known)
        summary.known += 1
      } else {
        summary.samples.append(try measure(network))
        summary.measured += 1
        if summary.samples[index].isStable == false { unstable.append(index) }
      }
      progress(
        Progress(
          done: index + 1, total: networks.count, sample: summary.samples[index],
          isKnown: known != nil && !again))
    }
    for index in unstable {
      summary.samples[index] = try measure(networks[index])
      if summary.samples[index].isStable == false { summary.unstable += 1 }
    }
    return summary
  }

  private func measure(_ network: NetworkToMeasure) throws -> Sample {
    let measurement = try measurer.measure(
      network.source(), named: network.id, referenceShare: network.referenceShare)
    try keepQuietReference()
    let sample = Sample(
      id: network.id, space: network.space, network: network.digest,
      device: measurer.client.device, measurement: measurement)
    try store.add(sample, replacing: true)
    return sample
  }

  /// Keeps what the first measurement on a device learned, so that all later ones are scaled alike.
  private func keepQuietReference() throws {
    let device = measurer.client.device
    guard device.quietReference == nil, let learned = measurer.quietReference,
      var stored = try? store.device(named: device.name), stored.quietReference == nil
    else { return }
    stored.quietReference = learned
    try store.add(stored, replacing: true)
  }
}
