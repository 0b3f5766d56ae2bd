import Foundation

/// Finds search spaces: by name in the `searchspaces` folders, or a YAML file by its path.
public struct SpaceCatalog: Sendable {
  /// Folders that are looked through, in order.
  public let folders: [String]

  public init(folders: [String]) { self.folders = folders }

  /// `$SWIFTLET_SPACES`, then `searchspaces` in the working folder, then the one that came with
  /// the command (a folder above the executable).
  public static var standard: SpaceCatalog {
    var folders: [String] = []
    if let path = ProcessInfo.processInfo.environment["SWIFTLET_SPACES"], !path.isEmpty {
      folders.append(path)
    }
    folders.append("searchspaces")
    if let home = bundledFolder("searchspaces") { folders.append(home) }
    return SpaceCatalog(folders: folders)
  }

  /// A folder that came with the command, found upwards from the executable.
  public static func bundledFolder(_ name: String) -> String? {
    var folder = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
      .deletingLastPathComponent()
    for _ in 0..<6 {
      let candidate = folder.appendingPathComponent(name).path
      if FileManager.default.fileExists(atPath: candidate) { return candidate }
      folder.deleteLastPathComponent()
    }
    return nil
  }

  /// Names of all spaces, sorted.
  public var names: [String] {
    var names = Set<String>()
    for folder in folders {
      for file in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
      where file.hasSuffix(".yaml") {
        names.insert(String(file.dropLast(5)))
      }
    }
    return names.sorted()
  }

  /// The space of this name, or in the YAML file of this path.
  /// - Throws: `unknownSpace` with the names that exist; `invalidSpace` with file, line and key.
  public func space(_ name: String) throws -> SearchSpace {
    let (text, file) = try source(name)
    let space = try SearchSpace(yaml: text, file: file) { try source($0) }
    let expected = URL(fileURLWithPath: file).deletingPathExtension().lastPathComponent
    guard space.name == expected else {
      throw ArchitecturesError(
        .invalidSpace, "\(file): name: is '\(space.name)' but the file is called '\(expected).yaml'"
      )
    }
    return space
  }

  /// The space that an architecture's id begins with.
  public func space(ofID id: String) throws -> SearchSpace {
    guard let colon = id.firstIndex(of: ":") else {
      throw ArchitecturesError(
        .invalidArchitecture, "'\(id.prefix(200))' is no architecture id; one reads 'space:genes'")
    }
    return try space(String(id[..<colon]))
  }

  private func source(_ name: String) throws -> (text: String, file: String) {
    let candidates =
      name.hasSuffix(".yaml")
      ? [name] : name.contains("/") ? [] : folders.map { "\($0)/\(name).yaml" }
    for file in candidates {
      guard let data = FileManager.default.contents(atPath: file) else { continue }
      guard data.count <= 1 << 20, let text = String(data: data, encoding: .utf8) else {
        throw ArchitecturesError(.invalidSpace, "\(file): must be UTF-8 text of at most 1 MiB")
      }
      return (text, file)
    }
    let known = names.joined(separator: ", ")
    throw ArchitecturesError(
      .unknownSpace,
      "no search space '\(name)'; known: \(known.isEmpty ? "none" : known); others by the path of "
        + "their file, or from the folder that SWIFTLET_SPACES names")
  }
}
