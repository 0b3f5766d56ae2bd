public import Architectures
import Foundation
internal import Tensors

extension AccuracyPredictor {
  static let format = "swiftlet.accuracy-predictor"

  /// Reads a predictor: a file of this project, or one of the two that Once-for-All published,
  /// converted to safetensors.
  ///
  /// The space may be another one than the predictor's own if it has the same genes, such as
  /// another width of it: ranks carry over, accuracies less so, and count as extrapolated
  /// (`mismatch`).
  /// - Throws: `badPredictor` naming the file and what doesn't fit.
  public init(contentsOf path: String, space: SearchSpace) throws {
    let file = try PredictorFile(contentsOf: path)
    let content = file.content
    if let published = PublishedAccuracyPredictor(recognising: content) {
      try self.init(
        space: space, description: published.description,
        members: [published.network(content, name: path)], name: path)
      return
    }
    try file.check(format: Self.format, what: "accuracy predictor")
    let description: AccuracyPredictorDescription = try file.decode("description")
    var members: [MultilayerPerceptron] = []
    while content.tensors["members.\(members.count).0.weight"] != nil {
      var layers: [MultilayerPerceptron.Layer] = []
      while let weight = content.tensors["members.\(members.count).\(layers.count).weight"],
        let bias = content.tensors["members.\(members.count).\(layers.count).bias"]
      {
        layers.append(.init(weight: weight, bias: bias))
      }
      members.append(MultilayerPerceptron(layers))
    }
    try self.init(space: space, description: description, members: members, name: path)
  }

  /// Writes the predictor; equal predictors give equal bytes.
  /// - Throws: `failed` naming the file.
  public func write(to path: String) throws {
    var file = SafeTensors(metadata: ["description": try PredictorFile.encode(description)])
    for (member, network) in members.enumerated() {
      for (index, layer) in network.layers.enumerated() {
        file.tensors["members.\(member).\(index).weight"] = layer.weight
        file.tensors["members.\(member).\(index).bias"] = layer.bias
      }
    }
    try PredictorFile.write(file, format: Self.format, to: path)
  }
}

/// The predictors that Once-for-All (Cai et al. 2020) published, by the names of their tensors.
enum PublishedAccuracyPredictor {
  /// 128-400-400-400-1, for MobileNetV3 of width 1.2.
  case mobileNetV3
  /// 82-400-400-400-1, for ResNet50D.
  case resNet50

  init?(recognising file: SafeTensors) {
    if file.tensors["6.weight"]?.shape == [1, 400], file.tensors["0.weight"]?.shape == [400, 128] {
      self = .mobileNetV3
    } else if file.tensors["base_acc"]?.count == 1,
      file.tensors["layers.0.0.weight"]?.shape == [400, 82]
    {
      self = .resNet50
    } else {
      return nil
    }
  }

  /// - Note: The published code encodes a MobileNetV3 resolution as column `(r - 112) / 16`,
  ///   rounded down, so sizes between two multiples of 16 score as the smaller one.
  var description: AccuracyPredictorDescription {
    switch self {
    case .mobileNetV3:
      AccuracyPredictorDescription(
        space: "ofa-mobilenetv3-w1.2",
        encoding: FeatureEncoding([
          .init(.kernel), .init(.expand),
          .init(.resolution, values: stride(from: 112, through: 224, by: 16).map { Double($0) }),
        ]),
        trainedResolutions: [160, 176, 192, 208, 224],
        provenance: .init(
          data: "Once-for-All (Cai et al. 2020), acc_predictor.pth",
          notes: ["accuracies are those of 10,000 images held out of the training set"]))
    case .resNet50:
      AccuracyPredictorDescription(
        space: "ofa-resnet50",
        encoding: FeatureEncoding([
          .init(.resolution, values: [128, 144, 160, 176, 192, 224, 240, 256]),
          .init(.depth, genes: ["input_stem.stage2.depth"]), .init(.width), .init(.expand),
        ]),
        trainedResolutions: [128, 144, 160, 176, 192, 224, 240, 256],
        provenance: .init(
          data: "Once-for-All (Cai et al. 2020), ofa_resnet50_acc_predictor.pth",
          notes: ["accuracies are those of 10,000 images held out of the training set"]))
    }
  }

  func network(_ file: SafeTensors, name: String) throws -> MultilayerPerceptron {
    let names =
      switch self {
      case .mobileNetV3: ["0", "2", "4", "6"]
      case .resNet50: ["layers.0.0", "layers.1.0", "layers.2.0", "layers.3"]
      }
    return MultilayerPerceptron(
      try names.map { layer in
        guard let weight = file.tensors["\(layer).weight"],
          let bias = file.tensors["\(layer).bias"] ?? file.tensors["base_acc"]
        else { throw PredictorsError(.badPredictor, "\(name): lacks '\(layer)'") }
        return .init(weight: try weight.fromOutputFirst(), bias: bias)
      })
  }
}
