import Foundation
internal import Tensors

extension KernelPredictor {
  static let format = "swiftlet.kernel-predictor"

  private struct Description: Codable {
    var rules: FusionRules
    var provenance: Provenance
    var kinds: [String]
    var features: [String]
    var terms: [String]
    var offset: Double
  }

  /// Writes the predictor; equal predictors give equal bytes.
  /// - Throws: `failed` naming the file.
  public func write(to path: String) throws {
    let description = Description(
      rules: rules, provenance: provenance, kinds: KernelKind.layouts,
      features: KernelFeatures.names, terms: KernelFeatures.termNames, offset: model.offset)
    var file = SafeTensors(metadata: ["format": Self.format, "version": "1"])
    do {
      for (index, kind) in KernelKind.layouts.enumerated() {
        let trees = model.trees[index]
        let nodes = [trees.trees, (1 << trees.depth) - 1]
        file.tensors["\(kind).coefficients"] = Tensor(
          model.coefficients[index].map { Float($0) })
        guard trees.trees > 0 else { continue }
        file.integers["\(kind).features"] = .init(
          trees.features.map { Int64($0) }, shape: nodes)
        file.tensors["\(kind).thresholds"] = try Tensor(trees.thresholds, shape: nodes)
        file.tensors["\(kind).leaves"] = try Tensor(
          trees.leaves, shape: [trees.trees, 1 << trees.depth])
      }
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      file.metadata["description"] = String(
        decoding: try encoder.encode(description), as: UTF8.self)
      try file.write(to: path)
    } catch let error as TensorError {
      throw PredictorsError(.failed, error.message)
    }
  }

  /// Whether the file at `path` calls itself a kernel predictor.
  public static func isOne(_ path: String) -> Bool {
    (try? SafeTensors(contentsOf: path))?.metadata["format"] == format
  }

  /// - Throws: `badPredictor` naming the file and what doesn't fit.
  public init(contentsOf path: String) throws {
    func bad(_ what: String) -> PredictorsError {
      PredictorsError(.badPredictor, "\(path): \(what)")
    }
    let file: SafeTensors
    do {
      file = try SafeTensors(contentsOf: path)
    } catch let error as TensorError {
      throw PredictorsError(.badPredictor, error.message)
    }
    guard file.metadata["format"] == Self.format else { throw bad("no kernel predictor") }
    guard file.metadata["version"] == "1",
      let description = try? JSONDecoder().decode(
        Description.self, from: Data((file.metadata["description"] ?? "").utf8)),
      description.kinds == KernelKind.layouts,
      description.features == KernelFeatures.names, description.terms == KernelFeatures.termNames
    else { throw bad("made by another version of Swiftlet; train it again") }
    let depth = description.provenance.options.depth
    guard (1...7).contains(depth) else { throw bad("trees of depth \(depth); 1 to 7 is meant") }
    var model = SumModel(coefficients: [], trees: [], offset: description.offset)
    for kind in description.kinds {
      guard let terms = file.tensors["\(kind).coefficients"],
        terms.shape == [KernelFeatures.termNames.count]
      else { throw bad("lacks '\(kind).coefficients'") }
      model.coefficients.append(terms.array.map { Double($0) })
      guard let features = file.integers["\(kind).features"] else {
        model.trees.append(TreeEnsemble(depth: depth))
        continue
      }
      let trees = features.shape.first ?? 0
      guard features.shape == [trees, (1 << depth) - 1],
        let thresholds = file.tensors["\(kind).thresholds"], thresholds.shape == features.shape,
        let leaves = file.tensors["\(kind).leaves"], leaves.shape == [trees, 1 << depth],
        features.values.allSatisfy({ KernelFeatures.names.indices.contains(Int($0)) })
      else { throw bad("the trees of '\(kind)' do not fit together") }
      model.trees.append(
        TreeEnsemble(
          depth: depth, features: features.values.map { Int32($0) },
          thresholds: thresholds.array, leaves: leaves.array))
    }
    self.init(rules: description.rules, model: model, provenance: description.provenance)
  }
}
