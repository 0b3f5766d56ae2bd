import Architectures
import Foundation
import ONNXFormat
import Predictors

/// A network as a user names it: an architecture's id, a family's variant, a text on one line, or a
/// path of an ONNX file.
struct NetworkArgument {
  var graph: OperatorGraph
  var id: String?
  var space: SearchSpace?
  var genotype: Genotype?
  var file: String?
  /// What samples call the space; families and texts come from none.
  var sampleSpace: String { space?.name ?? (id?.hasPrefix("family:") == true ? "families" : "") }

  init(_ argument: String) throws {
    if let free = try NetworkID.free(argument) {
      graph = free
      id = argument
      return
    }
    let isFile = argument.hasSuffix(".onnx") || FileManager.default.fileExists(atPath: argument)
    if isFile || !argument.contains(":") {
      guard isFile else {
        throw Failure(
          .input,
          "'\(argument.prefix(200))' is neither an ONNX file that exists nor an id (space:genes)")
      }
      graph = try ONNXFile.read(URL(fileURLWithPath: argument)).graph
      file = argument
    } else {
      let space = try SpaceCatalog.standard.space(ofID: argument)
      let genotype = try space.genotype(id: argument)
      graph = try space.graph(genotype)
      id = space.id(genotype)
      self.space = space
      self.genotype = genotype
    }
  }
}
