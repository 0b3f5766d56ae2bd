internal import Foundation

extension MemoryImages {
  /// CIFAR-10's binary files in `directory` (`data_batch_1.bin` ... `test_batch.bin`): records of a
  /// label byte and 3 planes of 32x32 bytes (Krizhevsky 2009).
  public static func cifar10(directory: String, train: Bool) throws -> MemoryImages {
    let files = train ? (1...5).map { "data_batch_\($0).bin" } : ["test_batch.bin"]
    let names =
      try lines(of: "\(directory)/batches.meta.txt")
      ?? ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
    return try cifar(files.map { "\(directory)/\($0)" }, labelBytes: 1, classNames: names)
  }

  /// CIFAR-100's binary files (`train.bin`, `test.bin`) with the 100 fine labels; a coarse label
  /// byte comes first in each record and is skipped.
  public static func cifar100(directory: String, train: Bool) throws -> MemoryImages {
    let names =
      try lines(of: "\(directory)/fine_label_names.txt") ?? (0..<100).map { "class\($0)" }
    return try cifar(
      ["\(directory)/\(train ? "train" : "test").bin"], labelBytes: 2, classNames: names)
  }

  private static func cifar(
    _ files: [String], labelBytes: Int, classNames: [String]
  ) throws -> MemoryImages {
    let plane = 32 * 32
    let record = labelBytes + 3 * plane
    var pixels: [UInt8] = []
    var labels: [Int] = []
    for file in files {
      let bytes = try read(file)
      guard !bytes.isEmpty, bytes.count.isMultiple(of: record) else {
        throw NetworksError(
          .damaged, "'\(file)': \(bytes.count) bytes are not a number of \(record)-byte records")
      }
      let count = bytes.count / record
      let start = pixels.count
      pixels.append(contentsOf: repeatElement(0, count: count * 3 * plane))
      for image in 0..<count {
        labels.append(Int(bytes[image * record + labelBytes - 1]))
        for c in 0..<3 {
          let source = image * record + labelBytes + c * plane
          let target = start + image * 3 * plane + c
          for i in 0..<plane { pixels[target + 3 * i] = bytes[source + i] }
        }
      }
    }
    return try MemoryImages(
      width: 32, height: 32, channels: 3, classNames: classNames, pixels: pixels, labels: labels)
  }

  /// MNIST's and Fashion-MNIST's IDX files (unpacked): bytes behind a big-endian header of the
  /// magic number 0x0803 (images) or 0x0801 (labels) and the dimensions (LeCun et al. 1998).
  public static func idx(
    images imagesPath: String, labels labelsPath: String, classNames: [String]? = nil
  ) throws -> MemoryImages {
    let (dimensions, pixels) = try idx(imagesPath, dimensions: 3)
    let (counts, labels) = try idx(labelsPath, dimensions: 1)
    guard counts[0] == dimensions[0] else {
      throw NetworksError(
        .damaged, "'\(imagesPath)' has \(dimensions[0]) images, '\(labelsPath)' \(counts[0]) labels"
      )
    }
    let classes = Int(labels.max() ?? 0) + 1
    return try MemoryImages(
      width: dimensions[2], height: dimensions[1], channels: 1,
      classNames: classNames ?? (0..<max(10, classes)).map(String.init), pixels: pixels,
      labels: labels.map(Int.init))
  }

  private static func idx(_ path: String, dimensions: Int) throws -> ([Int], [UInt8]) {
    let bytes = try read(path)
    let header = 4 + 4 * dimensions
    guard bytes.count >= header, bytes[0] == 0, bytes[1] == 0, bytes[2] == 8,
      bytes[3] == UInt8(dimensions)
    else {
      throw NetworksError(.damaged, "'\(path)': not an IDX file of \(dimensions)-dimensional bytes")
    }
    let sizes = (1...dimensions).map { d in
      bytes[4 * d..<4 * d + 4].reduce(0) { $0 << 8 | Int($1) }
    }
    var total = 1
    for size in sizes {
      let (product, overflow) = total.multipliedReportingOverflow(by: size)
      total = overflow ? -1 : product
    }
    guard bytes.count - header == total else {
      throw NetworksError(
        .damaged, "'\(path)': header says \(sizes), but \(bytes.count - header) bytes follow")
    }
    return (sizes, Array(bytes[header...]))
  }

  static func read(_ path: String) throws -> [UInt8] {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw NetworksError(.file, "'\(path)': cannot be read")
    }
    return [UInt8](data)
  }

  private static func lines(of path: String) throws -> [String]? {
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    return String(decoding: try read(path), as: UTF8.self)
      .split(whereSeparator: \.isNewline).map(String.init)
  }
}
