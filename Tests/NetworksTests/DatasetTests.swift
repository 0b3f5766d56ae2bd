import Foundation
import Networks
import Testing

@Suite struct DatasetTests {
  @Test func readsCIFAR() throws {
    try withTemporaryFolder { folder in
      // One record a file: planes of 10, 20 and 30 with a marked pixel.
      func record(_ labels: [UInt8]) -> [UInt8] {
        labels + (1...3).flatMap { c in (0..<1024).map { $0 == 33 ? 200 : UInt8(10 * c) } }
      }
      for i in 1...5 { try write(record([UInt8(i)]), to: "\(folder)/data_batch_\(i).bin") }
      let train = try MemoryImages.cifar10(directory: folder, train: true)
      #expect(train.count == 5 && train.labels == [1, 2, 3, 4, 5] && train.classNames.count == 10)
      #expect(train.image(at: 2).pixels[0..<3] == [10, 20, 30])
      #expect(train.image(at: 2).pixels[99..<102] == [200, 200, 200])
      try write(record([7, 42]) + record([0, 99]), to: "\(folder)/train.bin")
      let hundred = try MemoryImages.cifar100(directory: folder, train: true)
      #expect(hundred.labels == [42, 99] && hundred.classNames.count == 100)
      try write(Array(record([1]).dropLast()), to: "\(folder)/test_batch.bin")
      let error = #expect(throws: NetworksError.self) {
        try MemoryImages.cifar10(directory: folder, train: false)
      }
      #expect(error?.message.contains("test_batch.bin") == true)
    }
  }

  @Test func readsIDX() throws {
    try withTemporaryFolder { folder in
      let (images, labels) = ("\(folder)/images", "\(folder)/labels")
      try write([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3] + Array(1...12), to: images)
      try write([0, 0, 8, 1, 0, 0, 0, 2, 9, 4], to: labels)
      let set = try MemoryImages.idx(images: images, labels: labels)
      #expect(set.count == 2 && set.width == 3 && set.height == 2 && set.labels == [9, 4])
      #expect(set.image(at: 1).pixels == [7, 8, 9, 10, 11, 12])
      #expect(throws: NetworksError.self) { try MemoryImages.idx(images: labels, labels: images) }
      try write(
        [0, 0, 8, 3, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255], to: images)
      #expect(throws: NetworksError.self) { try MemoryImages.idx(images: images, labels: labels) }
    }
  }

  @Test func foldersWithoutImagesAreNamed() throws {
    func refusal(_ folder: String) -> String? {
      #expect(throws: NetworksError.self) { try ImageFolder(folder) }?.message
    }
    try withTemporaryFolder { folder in
      try write([1], to: "\(folder)/cifar-10-binary.tar.gz")
      #expect(refusal(folder)?.contains("unpack 'cifar-10-binary.tar.gz' first") == true)
      try write([1], to: "\(folder)/cat/0.jpg")
      try write([1], to: "\(folder)/dog/0.webp")
      #expect(refusal(folder)?.contains("/dog': no .jpg, .jpeg or .png file in it") == true)
    }
  }

  @Test func whatIsLeftOutIsNoted() throws {
    try withTemporaryFolder { folder in
      let images = try MemoryImages.procedural(count: 4, classes: 2, size: 8, seed: 3)
      for (part, name) in [("train", "cat"), ("train", "dog"), ("valid", "cat"), ("valid", "dog")] {
        let image = images.image(at: name == "cat" ? 0 : 1)
        try write(image.encoded(jpegQuality: nil), to: "\(folder)/\(part)/\(name)/0.png")
      }
      try write([1], to: "\(folder)/train/cat/1.webp")
      try write([1], to: "\(folder)/train/dog/more/2.png")
      let collection = try ImageCollection(folder)
      #expect(collection.training.count == 2 && collection.test?.count == 2)
      #expect(collection.notes.count == 1)
      #expect(collection.notes[0].hasPrefix("2 entries of class folders are no .jpg"))
    }
  }

  /// What is stored counts, whatever light the file says that it means.
  @Test func picturesKeepTheirNumbers() throws {
    let image = try MemoryImages.procedural(count: 1, classes: 2, size: 8, seed: 3).image(at: 0)
    let bytes = try image.encoded(jpegQuality: nil)
    let afterHeader = 8 + 25
    let gamma = PNGParts.chunk("gAMA", [0, 1, 0x86, 0xA0])
    let linear = Array(bytes[..<afterHeader]) + gamma + Array(bytes[afterHeader...])
    #expect(try Image(encoded: linear, name: "linear") == image)
    let grey = try Image(encoded: PNGParts.grey([0, 0x4040, 0x8080, 0xFFFF]), name: "grey")
    #expect(grey.pixels == [0, 0, 0, 64, 64, 64, 128, 128, 128, 255, 255, 255])
  }

  @Test func readsFoldersAndNamesBrokenFiles() throws {
    try withTemporaryFolder { folder in
      let source = try MemoryImages.procedural(count: 6, classes: 2, size: 8, seed: 3)
      for i in 0..<6 {
        let bytes = try source.image(at: i).encoded(jpegQuality: i < 3 ? 95 : nil)
        let name = "\(folder)/train/\(["cat", "dog"][i % 2])/\(i).\(i < 3 ? "JPG" : "png")"
        try write(bytes, to: name)
      }
      try write([1, 2, 3], to: "\(folder)/train/dog/notes.txt")
      let set = try ImageFolder(folder, split: "train")
      #expect(set.classNames == ["cat", "dog"])
      #expect(set.files.map(\.label) == [0, 0, 0, 1, 1, 1])
      #expect(try set.image(at: 2) == source.image(at: 4))
      let memory = try MemoryImages(decoding: set)
      #expect(memory.count == 6 && memory.image(at: 5) == source.image(at: 5))
      #expect(throws: NetworksError.self) { try ImageFolder(folder, split: "test") }

      try write([0xFF, 0xD8, 0xFF, 0, 1], to: "\(folder)/train/cat/9.jpg")
      let broken = try ImageFolder(folder, split: "train")
      let stop = #expect(throws: NetworksError.self) { try MemoryImages(decoding: broken) }
      #expect(stop?.message.contains("train/cat/9.jpg") == true)

      var options = BatchLoader.Options(
        batchSize: 7, normalization: Normalization(mean: [0, 0, 0], deviation: [1, 1, 1]))
      let strict = try BatchLoader(broken, options)
      #expect(throws: NetworksError.self) {
        for batch in strict.batches(epoch: 0) { _ = try batch.get() }
      }
      options.skipsBroken = true
      for batch in try BatchLoader(broken, options).batches(epoch: 0) {
        let batch = try batch.get()
        #expect(batch.labels.count == 6 && batch.shape == [6, 8, 8, 3])
        #expect(batch.broken.map(\.message).allSatisfy { $0.contains("cat/9.jpg") })
        #expect(batch.broken.count == 1)
      }
    }
  }

  /// One picture of another size among many squares: they are cut, like other pictures.
  @Test func picturesOfSeveralSizesAreOneCollection() throws {
    try withTemporaryFolder { folder in
      let source = try MemoryImages.procedural(count: 80, classes: 2, size: 16, seed: 3)
      for split in ["train", "test"] {
        for i in 0..<80 {
          try write(
            try source.image(at: i).encoded(),
            to: "\(folder)/\(split)/\(["cat", "dog"][i % 2])/\(i).png")
        }
      }
      #expect(try ImageCollection(folder).side == 16)
      let odd = try MemoryImages.procedural(count: 1, classes: 1, size: 20, seed: 3)
      let file = "\(folder)/test/cat/2.png"
      try write(try odd.image(at: 0).encoded(), to: file)
      #expect(try ImageCollection(folder).side == nil)
      try write(try source.image(at: 2).encoded(), to: file)
      try write(try odd.image(at: 0).encoded(), to: "\(folder)/train/cat/2.png")
      let mixed = try ImageCollection(folder)
      #expect(mixed.side == nil && mixed.training.count == 80 && mixed.test?.count == 80)
    }
  }

  @Test func splitsBySeed() throws {
    let set = try MemoryImages.procedural(count: 50, size: 4, seed: 1)
    let (training, validation) = try set.split(validation: 10, seed: 5)
    #expect(training.count == 40 && validation.count == 10)
    #expect(Set(training.indices + validation.indices) == Set(0..<50))
    #expect(try set.split(validation: 10, seed: 5).validation.indices == validation.indices)
    #expect(try set.split(validation: 10, seed: 6).validation.indices != validation.indices)
    #expect(throws: NetworksError.self) { try set.split(validation: 51, seed: 1) }
  }

  @Test func findsMeanAndDeviation() throws {
    let pixels: [UInt8] = [0, 255, 10, 100, 255, 30]
    let set = try MemoryImages(
      width: 1, height: 1, channels: 3, classNames: ["a"], pixels: pixels, labels: [0, 0])
    let found = try set.normalization()
    let mean: [Float] = [50, 255, 20]
    #expect(found.mean == mean.map { $0 / 255 })
    // The middle channel is constant: one level stands in for its deviation.
    let deviation: [Float] = [50, 1, 10]
    #expect(found.deviation == deviation.map { $0 / 255 })
  }
}
