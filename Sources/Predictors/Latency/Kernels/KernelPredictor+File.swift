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
    /// Of the perceptron, and the widths of its hidden layers.
    var network: PartNetwork.Inputs?
    var hidden: [Int]
  }

  /// Writes the predictor; equal predictors give equal bytes.
  /// - Throws: `failed` naming the file.
  public func write(to path: String) throws {
    let description = Description(
      rules: rules, provenance: provenance, kinds: KernelKind.layouts,
      features: KernelFeatures.names, terms: KernelFeatures.termNames, offset: model.offset,
      network: model.network?.inputs,
      hidden: Array(model.network?.perceptron.widths.dropFirst().dropLast() ?? []))
    var file = SafeTensors(metadata: ["description": try PredictorFile.encode(description)])
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
    if let network = model.network {
      file.tensors.merge(try network.perceptron.tensors("network")) { $1 }
    }
    try PredictorFile.write(file, format: Self.format, to: path)
  }

  /// - Throws: `badPredictor` naming the file and what doesn't fit.
  public init(contentsOf path: String) throws {
    let file = try PredictorFile(
      contentsOf: path, format: Self.format, what: "kernel predictor")
    let description: Description = try file.decode("description")
    let content = file.content
    guard description.kinds == KernelKind.layouts,
      description.features == KernelFeatures.names, description.terms == KernelFeatures.termNames
    else { throw file.failure("made by another version of Swiftlet; train it again") }
    let depth = description.provenance.options.depth
    guard (1...7).contains(depth) else {
      throw file.failure("trees of depth \(depth); 1 to 7 is meant")
    }
    var model = SumModel(coefficients: [], trees: [], offset: description.offset)
    for kind in description.kinds {
      guard let terms = content.tensors["\(kind).coefficients"],
        terms.shape == [KernelFeatures.termNames.count]
      else { throw file.failure("lacks '\(kind).coefficients'") }
      model.coefficients.append(terms.array.map { Double($0) })
      guard let features = content.integers["\(kind).features"] else {
        model.trees.append(TreeEnsemble(depth: depth))
        continue
      }
      let trees = features.shape.first ?? 0
      guard features.shape == [trees, (1 << depth) - 1],
        let thresholds = content.tensors["\(kind).thresholds"], thresholds.shape == features.shape,
        let leaves = content.tensors["\(kind).leaves"], leaves.shape == [trees, 1 << depth],
        features.values.allSatisfy({ KernelFeatures.names.indices.contains(Int($0)) })
      else { throw file.failure("the trees of '\(kind)' do not fit together") }
      model.trees.append(
        TreeEnsemble(
          depth: depth, features: features.values.map { Int32($0) },
          thresholds: thresholds.array, leaves: leaves.array))
    }
    if let inputs = description.network {
      let widths = [inputs.width] + description.hidden + [1]
      guard inputs.means.count == KernelFeatures.names.count,
        inputs.deviations.count == inputs.means.count, inputs.deviations.allSatisfy({ $0 > 0 }),
        inputs.kinds == KernelKind.layouts.count, inputs.categories == KernelFeatures.categories,
        let perceptron = DensePerceptron(content.tensors, "network", widths: widths)
      else { throw file.failure("its perceptron is missing or damaged") }
      model.network = PartNetwork(inputs: inputs, perceptron: perceptron)
    }
    self.init(rules: description.rules, model: model, provenance: description.provenance)
  }
}
