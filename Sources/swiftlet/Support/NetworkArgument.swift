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
    let isFile = Self.isFile(argument)
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

  /// Whether `argument` names an ONNX file: by its ending, or as a file that begins unlike a text.
  static func isFile(_ argument: String) -> Bool {
    if argument.lowercased().hasSuffix(".onnx") { return true }
    guard FileManager.default.fileExists(atPath: argument) else { return false }
    // What is read from a pipe is gone, so only regular files are looked into.
    let path = URL(fileURLWithPath: argument).resolvingSymlinksInPath().path
    let type = try? FileManager.default.attributesOfItem(atPath: path)[.type] as? FileAttributeType
    guard type == .typeRegular,
      let head = try? FileHandle(forReadingAtPath: path)?.read(upToCount: 512)
    else { return false }
    // Protobuf's tags and lengths are control characters, its version's tag the first of them.
    return head.contains { $0 < 0x20 && ![0x09, 0x0a, 0x0d].contains($0) }
  }

  func noteUnknownAxes(quiet: Bool) {
    guard GraphCost(graph).assumesUnknownAxes else { return }
    Terminal.note(
      "note: \((file ?? id ?? "").prefix(80)): axes of unknown length count as one", quiet: quiet)
  }
}
