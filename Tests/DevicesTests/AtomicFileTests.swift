import Architectures
import Devices
import Files
import Foundation
import Testing

@Suite struct AtomicFileTests {
  let folder = TemporaryPath()

  init() throws {
    try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
  }

  @Test func linksStayAndLeadToTheNewFile() throws {
    let files = FileManager.default
    try Data("old".utf8).write(to: URL(filePath: "\(folder.path)/there"))
    for (link, target) in [
      ("relative", "there"), ("absolute", "\(folder.path)/there"), ("chain", "relative"),
      ("dangling", "not-yet"),
    ] {
      let path = "\(folder.path)/\(link)"
      try files.createSymbolicLink(atPath: path, withDestinationPath: target)
      try AtomicFile.replace(path, with: Data(link.utf8))
      #expect(try files.destinationOfSymbolicLink(atPath: path) == target)
      #expect(try String(contentsOfFile: path, encoding: .utf8) == link)
    }
    #expect(try String(contentsOfFile: "\(folder.path)/there", encoding: .utf8) == "chain")
    #expect(try files.contentsOfDirectory(atPath: folder.path).count == 6, "no leftovers")
  }

  @Test func theModeStays() throws {
    let path = "\(folder.path)/private"
    for mode in [0o600, 0o640, 0o444] {
      try AtomicFile.replace(path, with: Data("old".utf8))
      #expect(chmod(path, mode_t(mode)) == 0)
      try AtomicFile.replace(path, with: Data("new".utf8))
      var status = stat()
      #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == mode_t(mode))
    }
  }

  @Test func aPipeTakesTheBytes() throws {
    let path = "\(folder.path)/pipe"
    #expect(mkfifo(path, 0o600) == 0)
    let pipe = open(path, O_RDWR | O_NONBLOCK)
    defer { close(pipe) }
    try LookupTable(space: "toy", provenance: .init(device: "here")).write(to: path)
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = read(pipe, &buffer, buffer.count)
    #expect(String(decoding: buffer.prefix(max(count, 0)), as: UTF8.self).hasSuffix("}\n"))
    var status = stat()
    #expect(stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFIFO)
  }
}
