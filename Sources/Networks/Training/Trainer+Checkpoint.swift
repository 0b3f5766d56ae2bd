internal import Files
internal import Foundation
internal import Tensors

/// A checkpoint is one safetensors file: `network/PATH` (PyTorch's layouts), `optimizer/SLOT/PATH`,
/// `average/PATH`, and in the metadata the step, the seed and the rule. Batches and random numbers
/// derive from seed and step, so this is all: a run killed at any moment and resumed computes the
/// same bits as one that was not.
extension Trainer {
  private static let format = "swiftlet.checkpoint.1"

  /// Writes the state to a temporary name, then renames it: the last good checkpoint stays until
  /// the new one is complete.
  /// - Parameter extra: entries for the metadata; names of its own are not overwritten.
  public func save(to path: String, metadata extra: [String: String] = [:]) throws {
    var tensors: [String: Tensor] = [:]
    for (key, value) in try network.state() { tensors["network/\(key)"] = value }
    for (key, value) in optimizer.state() { tensors["optimizer/\(key)"] = value }
    for (key, value) in average?.state() ?? [:] { tensors["average/\(key)"] = value }
    let metadata = [
      "format": Self.format, "step": String(step), "seed": String(options.seed),
      "rule": try Self.text(options.rule),
    ]
    try SafeTensors(tensors: tensors, metadata: extra.merging(metadata) { $1 }).write(to: path)
  }

  /// The metadata of a checkpoint, to see what it belongs to before it is gone on with.
  public static func metadata(of path: String) throws -> [String: String] {
    try SafeTensors(contentsOf: path).metadata
  }

  /// Goes on from a checkpoint, if there is one.
  /// - Returns: whether there was one.
  /// - Throws: `NetworksError` if it belongs to another network, rule or seed; `TensorError` if the
  ///   file is damaged.
  @discardableResult
  public func resume(from path: String) throws -> Bool {
    let url = URL(fileURLWithPath: path)
    AtomicFile.removeLeftovers(
      in: url.deletingLastPathComponent().path, of: url.lastPathComponent)
    guard FileManager.default.fileExists(atPath: path) else { return false }
    let file = try SafeTensors(contentsOf: path)
    func refuse(_ what: String) -> NetworksError {
      NetworksError(.damaged, "checkpoint '\(path)': \(what)")
    }
    guard file.metadata["format"] == Self.format,
      let step = file.metadata["step"].flatMap(Int.init), step >= 0
    else { throw refuse("not a checkpoint of this version") }
    guard file.metadata["seed"] == String(options.seed) else {
      throw refuse("it has seed \(file.metadata["seed"] ?? "none"), this run \(options.seed)")
    }
    guard file.metadata["rule"] == (try Self.text(options.rule)) else {
      throw refuse("it was made by \(file.metadata["rule"] ?? "no rule"), not \(options.rule)")
    }
    func part(_ prefix: String) -> [String: Tensor] {
      Dictionary(
        uniqueKeysWithValues: file.tensors.compactMap { key, value in
          key.hasPrefix(prefix) ? (String(key.dropFirst(prefix.count)), value) : nil
        })
    }
    do {
      try network.load(part("network/"))
      try optimizer.load(part("optimizer/"), steps: step)
      try average?.load(part("average/"))
    } catch let error as NetworksError {
      throw NetworksError(.damaged, "checkpoint '\(path)'", cause: error.description)
    }
    return true
  }

  private static func text(_ rule: OptimizerRule) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    return String(decoding: try encoder.encode(rule), as: UTF8.self)
  }
}
