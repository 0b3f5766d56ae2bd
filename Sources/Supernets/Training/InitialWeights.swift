internal import Architectures
internal import Networks
public import Tensors

/// Weights that a training starts from in place of random ones: a supernet's file, packed or not, or
/// a state dict of the `ofa` package written as safetensors.
public struct InitialWeights: Sendable {
  public let tensors: [String: Tensor]
  /// How they were trained, where the file says so.
  public let epochs: Int?
  public let recipe: TrainingRecipe?
  public let classNames: [String]?
  /// `TrainingData.identity` of the images that they were trained on.
  let images: String?
  private let spaceName: String?
  private let path: String

  /// How much of a supernet they give.
  public enum Extent: Sendable {
    case all
    /// All but the classifier, which is of other classes and starts anew.
    case allButClassifier
  }

  /// - Throws: `TensorError` if the file is damaged.
  public init(contentsOf path: String) throws {
    self.path = path
    let file = try SafeTensors(contentsOf: path)
    if SupernetFile.isOne(file) {
      let file = try SupernetFile(file, path: path)
      tensors = file.tensors
      epochs = file.provenance["epochs"].flatMap(Int.init)
      recipe = file.provenance["recipe"].flatMap { try? TrainingRecipe(yaml: $0) }
      images = file.images
      (spaceName, classNames) = (file.spaceName, file.classNames)
    } else {
      tensors = file.tensors
      (epochs, recipe, images, spaceName, classNames) = (nil, nil, nil, nil, nil)
    }
  }

  /// Replaces all weights of `supernet`.
  /// - Parameter classNames: classes that `supernet` is to tell apart. Weights that don't name
  ///   theirs are taken to have the same if there are as many.
  /// - Throws: `checkpoint` if they are of another space.
  public func load(into supernet: Supernet, classNames: [String]) throws -> Extent {
    let own = try supernet.state().filter { $0.key.hasPrefix(supernet.classifierPath + ".") }
    let keepsClassifier =
      (self.classNames ?? classNames) == classNames
      && own.allSatisfy { tensors[$0.key]?.shape == $0.value.shape }
    try supernet.load(
      keepsClassifier ? tensors : tensors.merging(own) { $1 }, ofSpace: spaceName, from: path)
    return keepsClassifier ? .all : .allButClassifier
  }

  /// Whether images that `data` holds out may be among those that the weights were trained on.
  public func mayKnowValidation(of data: TrainingData, _ recipe: TrainingRecipe) -> Bool {
    guard let classNames else { return true }
    if Set(classNames).isDisjoint(with: data.classNames) { return false }
    return images.map { $0 != data.identity }
      ?? (self.recipe?.seed != recipe.seed || self.recipe?.validation != recipe.validation)
  }

  /// The smallest expansion they were trained at; see `TrainingRecipe`. Any, where that isn't known.
  var smallestTrainedExpansion: Double { recipe?.smallestTrainedExpansion(in: .max) ?? 0 }
}
