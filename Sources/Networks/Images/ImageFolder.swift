internal import Foundation

/// JPEG and PNG files in one subfolder a class, decoded when asked for:
/// `root/<class>/<any name>.jpg`. With a `split`, `root/<split>/<class>/...`.
public struct ImageFolder: ImageDataset {
  public let classNames: [String]
  /// Sorted by class, then by name, so that positions are the same on every machine.
  public let files: [(path: String, label: Int)]
  /// What else is in the class folders: no such files, or folders.
  public let ignored: [String]

  /// - Throws: `NetworksError` if the folder is missing or holds no images.
  public init(_ root: String, split: String? = nil) throws {
    let folder = split.map { "\(root)/\($0)" } ?? root
    classNames = try Self.entries(of: folder).filter { name in
      var isFolder: ObjCBool = false
      return FileManager.default.fileExists(atPath: "\(folder)/\(name)", isDirectory: &isFolder)
        && isFolder.boolValue
    }
    var files: [(String, Int)] = []
    var ignored: [String] = []
    for (label, name) in classNames.enumerated() {
      let entries = try Self.entries(of: "\(folder)/\(name)")
      let ofClass = entries.filter { file in
        ["jpg", "jpeg", "png"].contains(file.split(separator: ".").last?.lowercased() ?? "")
      }
      ignored += Set(entries).subtracting(ofClass).sorted().map { "\(folder)/\(name)/\($0)" }
      guard !ofClass.isEmpty else {
        throw NetworksError(
          .file,
          "'\(folder)/\(name)': no .jpg, .jpeg or .png file in it; a folder is a class: put its "
            + "images there, or remove it")
      }
      files += ofClass.map { ("\(folder)/\(name)/\($0)", label) }
    }
    guard !files.isEmpty else {
      let packed = try Self.entries(of: folder).first { name in
        [".gz", ".tgz", ".tar", ".xz", ".zip"].contains(where: name.hasSuffix)
      }
      throw NetworksError(
        .file,
        "'\(folder)': no class folders with .jpg, .jpeg or .png files in them; "
          + (packed.map { "unpack '\($0)' first" } ?? "put each class's images in a folder"))
    }
    self.files = files
    self.ignored = ignored
  }

  public var count: Int { files.count }
  public func label(at index: Int) -> Int { files[index].label }
  public func image(at index: Int) throws -> Image { try Image(contentsOf: files[index].path) }
  /// Name and size of the file: the folder may be another place's.
  public func mark(at index: Int) throws -> [UInt8] {
    let url = URL(fileURLWithPath: files[index].path)
    let size = try url.resourceValues(forKeys: [.fileSizeKey]).fileSize ?? 0
    return Array("\(url.lastPathComponent) \(size)".utf8)
  }

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
