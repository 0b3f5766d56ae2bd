public import Architectures

/// Families of published convolutional networks, with widths, depths and resolutions varied at
/// random: what predictors of latency are scored on. `validation` is for choices, `test` for scores.
public enum NetworkFamily: String, CaseIterable, Sendable {
  case alexnet, darknet, googlenet, regnet, mnasnet, wideresnet
  case resnet18, resnet50, mobilenetv1, mobilenetv2, mobilenetv3, efficientnet, squeezenet, vgg
  case densenet, shufflenet

  public static let validation: [NetworkFamily] = [
    .alexnet, .darknet, .googlenet, .regnet, .mnasnet, .wideresnet,
  ]
  public static let test: [NetworkFamily] = allCases.filter { !validation.contains($0) }

  /// The id of a variant, which `graph(id:)` understands.
  public func id(_ number: Int) -> String { "family:\(rawValue)-\(number)" }

  /// The network that `id` names; nothing if it is no family's id.
  public static func graph(id: String) throws -> OperatorGraph? {
    guard id.hasPrefix("family:") else { return nil }
    let parts = id.dropFirst(7).split(separator: "-")
    guard parts.count == 2, let family = NetworkFamily(rawValue: String(parts[0])),
      let number = Int(parts[1]), number >= 0
    else {
      throw PredictorsError(
        .badSamples,
        "'\(id)': family:NAME-NUMBER is meant, with a name of "
          + allCases.map(\.rawValue).joined(separator: ", "))
    }
    return try family.network(number)
  }

  /// The variant of this number: 0 is as published but for the resolution, all others are varied.
  public func network(_ number: Int) throws -> OperatorGraph {
    var variation = FamilyVariation(family: self, number: number)
    var sketch = NetworkSketch([3, variation.resolution, variation.resolution])
    try draw(on: &sketch, &variation)
    return sketch.graph()
  }

  private func draw(on net: inout NetworkSketch, _ vary: inout FamilyVariation) throws {
    switch self {
    case .alexnet: try FamilyLayers.alexnet(&net, &vary)
    case .darknet: try FamilyLayers.darknet(&net, &vary)
    case .googlenet: try FamilyLayers.googlenet(&net, &vary)
    case .regnet: try FamilyLayers.regnet(&net, &vary)
    case .mnasnet: try FamilyLayers.mnasnet(&net, &vary)
    case .wideresnet: try FamilyLayers.wideresnet(&net, &vary)
    case .resnet18: try FamilyLayers.resnet18(&net, &vary)
    case .resnet50: try FamilyLayers.resnet50(&net, &vary)
    case .mobilenetv1: try FamilyLayers.mobilenetv1(&net, &vary)
    case .mobilenetv2: try FamilyLayers.mobilenetv2(&net, &vary)
    case .mobilenetv3: try FamilyLayers.mobilenetv3(&net, &vary)
    case .efficientnet: try FamilyLayers.efficientnet(&net, &vary)
    case .squeezenet: try FamilyLayers.squeezenet(&net, &vary)
    case .vgg: try FamilyLayers.vgg(&net, &vary)
    case .densenet: try FamilyLayers.densenet(&net, &vary)
    case .shufflenet: try FamilyLayers.shufflenet(&net, &vary)
    }
  }
}

/// How one variant of a family differs from the published network.
struct FamilyVariation {
  let resolution: Int
  private var random: SeededGenerator
  private let isPublished: Bool

  init(family: NetworkFamily, number: Int) {
    random = SeededGenerator(seed: UInt64(number), stream: family.rawValue)
    isPublished = number == 0
    resolution = random.pick([96, 112, 128, 144, 160, 176, 192, 224])
  }

  /// `channels` times 0.5 to 1.25, as a multiple of 8.
  mutating func width(_ channels: Int) -> Int {
    guard !isPublished else { return channels }
    return Block.makeDivisible(Double(channels) * (0.5 + 0.75 * random.nextUniform()), by: 8)
  }

  /// `layers`, one less or one more.
  mutating func depth(_ layers: Int) -> Int {
    isPublished ? layers : max(1, layers - 1 + random.next(below: 3))
  }

  mutating func kernel(_ published: Int, _ choices: [Int] = [3, 5, 7]) -> Int {
    isPublished ? published : random.pick(choices)
  }
}
