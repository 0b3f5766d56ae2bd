internal import Foundation

/// The images of a folder, whatever form they have: what `--data` names.
public struct ImageCollection: Sendable {
  public let training: any ImageDataset
  /// Images set apart for the final test; absent if the folder has none.
  public let test: (any ImageDataset)?
  /// Side of all images, tests too, if they are squares of one size of at most 64 pixels, which are
  /// kept in memory; else nil.
  public let side: Int?
  /// Images that were left out because they cannot be read, and what else of the folder is no part
  /// of this, a line each.
  public let notes: [String]

  public var classNames: [String] { training.classNames }

  /// Images that need no folder.
  /// - Parameter side: of all of them, if they are squares of one size.
  public init(_ training: any ImageDataset, test: (any ImageDataset)? = nil, side: Int?) {
    self.training = training
    self.test = test
    self.side = side
    notes = []
  }

  /// Opens CIFAR-10 or CIFAR-100 (binary), MNIST-like IDX files, or JPEG and PNG files in one folder
  /// a class, with or without `train` and `test` (or `val`, `valid`, `validation`) above them.
  /// - Parameter skipsBroken: leave broken images out instead of throwing; looks at every image.
  /// - Throws: `NetworksError` naming the folder if it holds none of these, fewer than two classes,
  ///   or a test set of other classes; naming the file if an image is broken.
  public init(_ path: String, skipsBroken: Bool = false) throws {
    func has(_ name: String) -> Bool { FileManager.default.fileExists(atPath: "\(path)/\(name)") }
    var training: any ImageDataset
    var test: (any ImageDataset)?
    var notes: [String] = []
    if has("data_batch_1.bin") {
      training = try MemoryImages.cifar10(directory: path, train: true)
      test = has("test_batch.bin") ? try MemoryImages.cifar10(directory: path, train: false) : nil
    } else if has("train.bin") {
      training = try MemoryImages.cifar100(directory: path, train: true)
      test = has("test.bin") ? try MemoryImages.cifar100(directory: path, train: false) : nil
    } else if has("train-images-idx3-ubyte") {
      training = try Self.idx(path, "train")
      test = has("t10k-images-idx3-ubyte") ? try Self.idx(path, "t10k") : nil
    } else if has("train") {
      training = try ImageFolder(path, split: "train")
      let splits = ["test", "val", "valid", "validation"].filter(has)
      test = try splits.first.map { try ImageFolder(path, split: $0) }
      notes += splits.dropFirst().map { "'\(path)/\($0)' is not used: '\(splits[0])' is the test" }
    } else {
      training = try ImageFolder(path)
    }
    guard training.classNames.count >= 2 else {
      throw NetworksError(
        .file,
        "'\(path)': one class ('\(training.classNames.first ?? "")'); training needs at least two")
    }
    if let test, test.classNames != training.classNames {
      throw NetworksError(
        .file,
        "'\(path)': the test images have classes \(test.classNames), the others "
          + "\(training.classNames)")
    }
    for folder in [training, test].compactMap({ $0 as? ImageFolder }) where !folder.ignored.isEmpty
    {
      notes.append(
        "\(folder.ignored.count) entries of class folders are no .jpg, .jpeg or .png files and are "
          + "left out, such as '\(folder.ignored[0])'")
    }
    var broken: [NetworksError] = []
    let isFolder = training is ImageFolder
    if skipsBroken, isFolder {
      training = try Self.readable(training, &broken)
      test = try test.map { try Self.readable($0, &broken) }
    }
    self.notes = notes + broken.map { "left out: \($0)" }
    if isFolder, let side = try Self.side(training),
      let images = try Self.decoded(training, side: side)
    {
      let testImages = try test.flatMap { try Self.decoded($0, side: side) }
      if test == nil || testImages != nil {
        (self.training, self.test, self.side) = (images, testImages, side)
        return
      }
    }
    side = (training as? MemoryImages).flatMap { $0.width == $0.height ? $0.width : nil }
    self.training = training
    self.test = test
  }

  private static func idx(_ path: String, _ prefix: String) throws -> MemoryImages {
    try MemoryImages.idx(
      images: "\(path)/\(prefix)-images-idx3-ubyte", labels: "\(path)/\(prefix)-labels-idx1-ubyte")
  }

  /// The images that can be decoded.
  private static func readable(
    _ dataset: any ImageDataset, _ broken: inout [NetworksError]
  ) throws -> any ImageDataset {
    let failures = try Concurrent.map(dataset.count) { position -> NetworksError? in
      do {
        _ = try dataset.image(at: position)
        return nil
      } catch let error as NetworksError {
        return error
      }
    }
    broken += failures.compactMap { $0 }
    return ImageSubset(of: dataset, indices: failures.indices.filter { failures[$0] == nil })
  }

  /// All images in memory, if they are squares of `side`, as a few of them were.
  private static func decoded(_ folder: any ImageDataset, side: Int) throws -> MemoryImages? {
    do {
      let images = try MemoryImages(decoding: folder)
      return images.width == side && images.height == side ? images : nil
    } catch let error as NetworksError where error.code == .sizes {
      return nil
    }
  }

  /// The common side if a few images from all over the folder are equal small squares.
  private static func side(_ folder: any ImageDataset) throws -> Int? {
    var side: Int?
    for position in stride(from: 0, to: folder.count, by: max(1, folder.count / 16)) {
      let image = try folder.image(at: position)
      guard image.width == image.height, image.width <= 64, side ?? image.width == image.width
      else { return nil }
      side = image.width
    }
    return side
  }
}
