internal import Architectures
public import Networks
public import Tensors

/// Weights of a supernet with what is needed to use them: one safetensors file whose tensors have
/// the names of the `ofa` package.
public struct SupernetFile: Sendable {
  public let spaceName: String
  public let classNames: [String]
  public let normalization: Normalization
  /// Side of the squares it was trained on, and what larger images' shorter side became before the
  /// middle was cut out; see `TrainingData`.
  public let side: Int
  public let resize: Int?
  /// Recipe, epochs and whatever else says where the weights come from.
  public var provenance: [String: String]
  /// Made-up images that subnets can be recalibrated with, `[N, side, side, C]`, normalised; see
  /// `CalibrationImages`.
  public var calibration: Tensor?
  let tensors: [String: Tensor]
  private let path: String

  private static let format = "swiftlet.supernet.1"
  private static let calibrationName = "swiftlet.calibration"

  /// The weights of `supernet` as they are now.
  /// - Parameters:
  ///   - epochs: that the weights were trained for, those before `origin` included.
  ///   - origin: the weights that the training started from; nil for random ones.
  public init(
    _ supernet: Supernet, data: TrainingData, recipe: String, epochs: Int, origin: String? = nil
  ) throws {
    spaceName = supernet.space.name
    classNames = data.classNames
    normalization = data.normalization
    side = data.side
    resize = data.resize
    provenance = [
      "recipe": recipe, "epochs": String(epochs), "images": data.identity,
      "networks": try supernet.space.networksDigest(),
    ]
    provenance["origin"] = origin
    if data.skipsBroken { provenance["broken"] = "left out" }
    tensors = try supernet.state()
    path = "supernet"
  }

  /// What `TrainingData` said of the images that the weights were trained on; nil in older files.
  public var images: String? { provenance["images"] }
  /// Whether broken images were left out.
  public var skipsBroken: Bool { provenance["broken"] != nil }

  /// - Throws: `TensorError` if the file is damaged, `checkpoint` if it is no supernet.
  public init(contentsOf path: String) throws {
    try self.init(SafeTensors(contentsOf: path), path: path)
  }

  static func isOne(_ file: SafeTensors) -> Bool { file.metadata["format"] == format }

  init(_ file: SafeTensors, path: String) throws {
    func numbers(_ key: String) -> [Float] {
      (file.metadata[key] ?? "").split(separator: ",").compactMap { Float($0) }
    }
    guard Self.isOne(file), let space = file.metadata["space"],
      let names = file.metadata["classes"], let side = file.metadata["side"].flatMap(Int.init)
    else {
      throw SupernetsError(
        .checkpoint, "\(path): no supernet of this version; 'supernet train' writes them")
    }
    spaceName = space
    classNames = names.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    normalization = Normalization(mean: numbers("mean"), deviation: numbers("deviation"))
    self.side = side
    resize = file.metadata["resize"].flatMap(Int.init)
    let known = ["format", "space", "classes", "mean", "deviation", "side", "resize"]
    provenance = file.metadata.filter { !known.contains($0.key) }
    var tensors = file.tensors
    calibration = tensors.removeValue(forKey: Self.calibrationName)
    self.tensors = tensors
    self.path = path
  }

  /// Appears whole or not at all.
  /// - Parameter precision: float16 halves the size; accuracies hardly notice.
  public func write(to path: String, precision: SafeTensors.Precision = .float32) throws {
    func text(_ values: [Float]) -> String { values.map { "\($0)" }.joined(separator: ",") }
    var metadata = provenance
    metadata["format"] = Self.format
    metadata["space"] = spaceName
    metadata["classes"] = classNames.joined(separator: "\n")
    metadata["mean"] = text(normalization.mean)
    metadata["deviation"] = text(normalization.deviation)
    metadata["side"] = String(side)
    metadata["resize"] = resize.map { String($0) }
    var tensors = tensors
    tensors[Self.calibrationName] = calibration
    try SafeTensors(tensors: tensors, metadata: metadata).write(to: path, precision: precision)
  }

  /// - Throws: `checkpoint` if the weights are of another space or number of classes, or the space
  ///   builds other networks now.
  public func load(into supernet: Supernet) throws {
    guard classNames.count == supernet.space.classes || spaceName != supernet.space.name else {
      throw SupernetsError(
        .checkpoint,
        "\(path): weights for \(classNames.count) classes, the network has "
          + "\(supernet.space.classes)")
    }
    if spaceName == supernet.space.name, let networks = provenance["networks"] {
      guard try networks == supernet.space.networksDigest() else {
        throw SupernetsError(
          .checkpoint,
          "\(path): weights of the space '\(spaceName)' as it was; it builds other networks now")
      }
    }
    try supernet.load(tensors, ofSpace: spaceName, from: path)
  }
}

extension SearchSpace {
  /// What networks the space builds: equal names do not make equal spaces.
  func networksDigest() throws -> String {
    var hash = StableHash()
    hash.combine(try fingerprint())
    return String(hash.value, radix: 16)
  }
}

extension Supernet {
  /// - Parameters:
  ///   - space: that the weights are of, if it is known.
  ///   - path: the file, for errors.
  /// - Throws: `checkpoint` if they don't fit.
  func load(_ tensors: [String: Tensor], ofSpace space: String?, from path: String) throws {
    if let space, space != self.space.name {
      throw SupernetsError(
        .checkpoint, "\(path): weights of the space '\(space)', not of '\(self.space.name)'")
    }
    do {
      try load(tensors)
    } catch let error as NetworksError {
      throw SupernetsError(.checkpoint, "\(path): \(error.message)")
    }
  }
}
