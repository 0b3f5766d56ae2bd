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
  private let spaceName: String?
  private let classNames: [String]?
  private let path: String

  /// - Throws: `TensorError` if the file is damaged.
  public init(contentsOf path: String) throws {
    self.path = path
    if let file = try? SupernetFile(contentsOf: path) {
      tensors = file.tensors
      epochs = file.provenance["epochs"].flatMap(Int.init)
      recipe = file.provenance["recipe"].flatMap { try? TrainingRecipe(yaml: $0) }
      spaceName = file.spaceName
      classNames = file.classNames
    } else {
      tensors = try SafeTensors(contentsOf: path).tensors
      (epochs, recipe, spaceName, classNames) = (nil, nil, nil, nil)
    }
  }

  /// Replaces all weights of `supernet`. A classifier of other classes is left as it is: it starts
  /// anew.
  /// - Parameter classNames: classes that `supernet` is to tell apart.
  /// - Returns: whether the classifier came with the weights.
  /// - Throws: `checkpoint` if they are of another space.
  public func load(into supernet: Supernet, classNames: [String]) throws -> Bool {
    if let spaceName, spaceName != supernet.space.name {
      throw SupernetsError(
        .checkpoint,
        "\(path): weights of the space '\(spaceName)', not of '\(supernet.space.name)'")
    }
    let own = try supernet.state().filter { $0.key.hasPrefix(supernet.classifierPath + ".") }
    let keepsClassifier =
      (self.classNames ?? classNames) == classNames
      && own.allSatisfy { tensors[$0.key]?.shape == $0.value.shape }
    do {
      try supernet.load(keepsClassifier ? tensors : tensors.merging(own) { $1 })
    } catch let error as NetworksError {
      throw SupernetsError(.checkpoint, "\(path): \(error.message)")
    }
    return keepsClassifier
  }
}
