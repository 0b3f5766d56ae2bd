internal import Foundation

/// JPEG and PNG files in one subfolder a class, decoded when asked for:
/// `root/<class>/<any name>.jpg`. With a `split`, `root/<split>/<class>/...`.
public struct ImageFolder: ImageDataset {
  public let classNames: [String]
  /// Sorted by class, then by name, so that positions are the same on every machine.
  public let files: [(path: String, label: Int)]

  /// - Throws: `NetworksError` if the folder is missing or holds no images.
  public init(_ root: String, split: String? = nil) throws {
    let folder = split.map { "\(root)/\($0)" } ?? root
    classNames = try Self.entries(of: folder).filter { name in
      var isFolder: ObjCBool = false
      return FileManager.default.fileExists(atPath: "\(folder)/\(name)", isDirectory: &isFolder)
        && isFolder.boolValue
    }
    var files: [(String, Int)] = []
    for (label, name) in classNames.enumerated() {
      for file in try Self.entries(of: "\(folder)/\(name)") {
        let ending = file.split(separator: ".").last?.lowercased() ?? ""
        if ["jpg", "jpeg", "png"].contains(ending) {
          files.append(("\(folder)/\(name)/\(file)", label))
        }
      }
    }
    guard !files.isEmpty else {
      throw NetworksError(
        .file, "'\(folder)': no class folders with .jpg, .jpeg or .png files in them")
    }
    self.files = files
  }

  public var count: Int { files.count }
  public func label(at index: Int) -> Int { files[index].label }
  public func image(at index: Int) throws -> Image { try Image(contentsOf: files[index].path) }

  private static func entries(of folder: String) throws -> [String] {
    do {
      return try FileManager.default.contentsOfDirectory(atPath: folder)
        .filter { !$0.hasPrefix(".") }
        .sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }
    } catch {
      guard FileManager.default.fileExists(atPath: folder) else {
        throw NetworksError(.file, "'\(folder)': there is no such folder")
      }
      throw NetworksError(.file, "'\(folder)': cannot be listed: no folder, or not readable")
    }
  }
}
