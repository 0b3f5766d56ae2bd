package import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Files that appear whole or not at all.
package enum AtomicFile {
  /// Writes `bytes` to a neighbour of the file at `path`, then renames it. Where that fails the
  /// neighbour is gone and the file is what it was before. A link stays, and what it leads to is
  /// replaced; the mode stays; a pipe or a device takes the bytes as they are.
  ///
  /// - Parameter isDurable: whether to wait until the disk holds the bytes, so that not even a
  ///   machine that stops can leave less.
  /// - Throws: `FileError` naming the file, the system's reason and the mend.
  package static func replace(
    _ path: String, with bytes: some ContiguousBytes, isDurable: Bool = false
  ) throws {
    let mode = mode(of: path)
    if let mode, mode & S_IFMT != S_IFREG {
      let file = open(path, O_WRONLY | O_NOCTTY | O_CLOEXEC)
      guard file >= 0 else { throw FileError(path, errno) }
      defer { close(file) }
      return try writeAll(bytes, to: file, path)
    }
    let target = target(of: path)
    let neighbour = "\(target).\(UInt32.random(in: 0...UInt32.max)).tmp"
    let file = open(neighbour, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard file >= 0 else { throw FileError(path, errno) }
    // Before there is anything to read; a file system without modes has none to keep.
    if let mode { _ = fchmod(file, mode & 0o777) }
    do {
      try writeAll(bytes, to: file, path)
      if isDurable, fsync(file) != 0 { throw FileError(path, errno) }
    } catch {
      close(file)
      unlink(neighbour)
      throw error
    }
    guard close(file) == 0, rename(neighbour, target) == 0 else {
      let error = FileError(path, errno)
      unlink(neighbour)
      throw error
    }
  }

  private static func writeAll(
    _ bytes: some ContiguousBytes, to file: Int32, _ path: String
  ) throws {
    try bytes.withUnsafeBytes { buffer in
      var rest = buffer[...]
      while !rest.isEmpty {
        // Linux writes at most 2 GiB at a time.
        let count = write(file, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { throw FileError(path, errno) }
        rest = rest.dropFirst(count)
      }
    }
  }

  /// Kind and permissions of what `path` leads to; `nil` where nothing is.
  fileprivate static func mode(of path: String) -> mode_t? {
    var status = stat()
    return stat(path, &status) == 0 ? status.st_mode : nil
  }

  /// Where the links at `path` lead, whether something is there yet or not.
  private static func target(of path: String) -> String {
    var target = path
    for _ in 0..<40 {  // as many as Linux follows
      guard let link = try? FileManager.default.destinationOfSymbolicLink(atPath: target)
      else { return target }
      let folder = target.lastIndex(of: "/").map { target[...$0] } ?? ""
      target = link.hasPrefix("/") ? link : folder + link
    }
    return path
  }

  /// Removes what processes that were killed have left half written in a folder.
  /// - Parameter name: of the file that they were to replace.
  package static func removeLeftovers(in folder: String, of name: String) {
    for file in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
      let parts = file.split(separator: ".", omittingEmptySubsequences: false)
      guard parts.count >= 3, parts.last == "tmp", UInt32(parts[parts.count - 2]) != nil,
        name == parts.dropLast(2).joined(separator: ".")
      else { continue }
      unlink("\(folder)/\(file)")
    }
  }
}

/// A file that could not be written, in one line.
package struct FileError: Error, CustomStringConvertible {
  package let description: String

  /// - Parameter number: the system's `errno`.
  init(_ path: String, _ number: Int32) {
    var text = "can't write \(path): \(String(cString: strerror(number)))"
    if [ENOSPC, EDQUOT, EFBIG].contains(number) { text += "; make room and try again" }
    if let mode = AtomicFile.mode(of: path), mode & S_IFMT == S_IFREG {
      text += "; what the file held before is still there"
    }
    description = text
  }
}
