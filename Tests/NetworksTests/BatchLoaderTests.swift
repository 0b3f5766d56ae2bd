import Networks
import Testing

@Suite struct BatchLoaderTests {
  private let set: MemoryImages
  private let everything = Augmentation(
    crop: .randomResized(size: 12), flip: true, brightness: 0.3, saturation: 0.4, cutout: 4)

  init() throws { set = try MemoryImages.procedural(count: 70, size: 16, seed: 2) }

  private func loader(_ augmentation: Augmentation, ahead: Int = 2, seed: UInt64 = 1) throws
    -> BatchLoader
  {
    try BatchLoader(
      set,
      BatchLoader.Options(
        batchSize: 16, augmentation: augmentation, normalization: try set.normalization(),
        ahead: ahead, seed: seed))
  }

  private func all(_ loader: BatchLoader, epoch: Int, from: Int = 0) throws -> [ImageBatch] {
    try loader.batches(epoch: epoch, from: from).map { try $0.get() }
  }

  @Test func sameSeedGivesSameBatchesWhateverTheThreads() throws {
    let reference = try all(loader(everything, ahead: 1), epoch: 3)
    #expect(reference.count == 4 && reference[0].shape == [16, 12, 12, 3])
    for ahead in [2, 4] {
      let other = try all(loader(everything, ahead: ahead), epoch: 3)
      #expect(other.map(\.pixels) == reference.map(\.pixels))
      #expect(other.map(\.labels) == reference.map(\.labels))
    }
    let resumed = try all(loader(everything), epoch: 3, from: 2)
    #expect(resumed.map(\.pixels) == reference[2...].map(\.pixels))
    #expect(try all(loader(everything), epoch: 4).map(\.pixels) != reference.map(\.pixels))
    #expect(try all(loader(everything, seed: 2), epoch: 3).map(\.pixels) != reference.map(\.pixels))
  }

  @Test func everyEpochVisitsEveryImageOnce() throws {
    let loader = try loader(.none)
    for epoch in 0..<3 { #expect(Set(loader.order(epoch: epoch)) == Set(0..<70)) }
    #expect(loader.order(epoch: 0) != loader.order(epoch: 1))
  }

  @Test func normalizesToZeroMeanAndUnitDeviation() throws {
    let options = BatchLoader.Options(
      batchSize: 70, normalization: try set.normalization(), shuffle: false)
    let batch = try all(BatchLoader(set, options), epoch: 0)[0]
    for c in 0..<3 {
      let values = stride(from: c, to: batch.pixels.count, by: 3).map { Double(batch.pixels[$0]) }
      let mean = values.reduce(0, +) / Double(values.count)
      let square = values.reduce(0) { $0 + $1 * $1 } / Double(values.count)
      // Each value carries an ulp or two of rounding; so does each of the two figures.
      #expect(abs(mean) < 1e-5 && abs(square - 1) < 1e-5)
    }
  }

  @Test func keepsTheLastBatchIfTold() throws {
    var options = BatchLoader.Options(
      batchSize: 16, normalization: try set.normalization(), dropsLast: false)
    #expect(
      try all(BatchLoader(set, options), epoch: 0).map(\.labels.count) == [16, 16, 16, 16, 6])
    options.batchSize = 0
    #expect(throws: NetworksError.self) { try BatchLoader(set, options) }
    options.batchSize = 71
    options.dropsLast = true
    #expect(throws: NetworksError.self) { try BatchLoader(set, options) }
  }

  @Test(arguments: [
    Augmentation(brightness: -1), Augmentation(saturation: 2), Augmentation(cutout: -1),
    Augmentation(crop: .padded(-1)), Augmentation(crop: .randomResized(size: 8, area: 0...1)),
  ])
  func refusesNonsense(_ augmentation: Augmentation) {
    #expect(throws: NetworksError.self) { try augmentation.validate() }
  }

  /// Padded crops show a shifted image, cutout a square of zeros, for hundreds of samples.
  @Test func augmentsAsDescribed() throws {
    let flat = try MemoryImages(
      width: 8, height: 8, channels: 1, classNames: ["flat"],
      pixels: Array(repeating: 200, count: 64 * 300), labels: Array(repeating: 0, count: 300))
    let normalization = Normalization(mean: [0], deviation: [1])
    func images(_ augmentation: Augmentation) throws -> [[Float]] {
      let options = BatchLoader.Options(
        batchSize: 1, augmentation: augmentation, normalization: normalization)
      return try all(BatchLoader(flat, options), epoch: 0).map(\.pixels)
    }
    let bright = Float(200) / 255
    var holes = Set<Int>()
    for pixels in try images(Augmentation(crop: .padded(2))) {
      let rows = (0..<8).filter { y in (0..<8).contains { pixels[8 * y + $0] > 0 } }.count
      let columns = (0..<8).filter { x in (0..<8).contains { pixels[8 * $0 + x] > 0 } }.count
      #expect((6...8).contains(rows) && (6...8).contains(columns))
      #expect(pixels.filter { $0 == bright }.count == rows * columns)
    }
    for pixels in try images(Augmentation(cutout: 4)) {
      holes.insert(pixels.filter { $0 == 0 }.count)
      #expect(pixels.allSatisfy { $0 == 0 || $0 == bright })
    }
    #expect(holes.max() == 16 && holes.min() == 4)
    for pixels in try images(Augmentation(brightness: 0.25)) {
      #expect(Set(pixels).count == 1 && (Float(150) / 255...1).contains(pixels[0]))
    }
    let sizes = try images(Augmentation(crop: .randomResized(size: 5)))
    #expect(sizes.allSatisfy { $0.count == 25 && $0.allSatisfy { $0 == bright } })
  }
}
