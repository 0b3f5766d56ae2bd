import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

enum AtomicFile {
  /// Writes `bytes` to a neighbour of `url`, then renames it to `url`.
  ///
  /// - Throws: `ONNXFormatError` (`unwritable`) naming the file and the system's reason.
  static func replace(_ url: URL, with bytes: [UInt8]) throws {
    let path = url.path
    let neighbour = "\(path).\(UInt32.random(in: 0...UInt32.max)).tmp"
    let file = open(neighbour, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard file >= 0 else { throw failure(path) }
    do {
      try bytes.withUnsafeBytes { buffer in
        var rest = buffer[...]
        while !rest.isEmpty {
          // Linux writes at most 2 GiB at a time.
          let count = write(file, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
          if count < 0, errno == EINTR { continue }
          guard count > 0 else { throw failure(path) }
          rest = rest.dropFirst(count)
        }
      }
    } catch {
      close(file)
      unlink(neighbour)
      throw error
    }
    guard close(file) == 0, rename(neighbour, path) == 0 else {
      let error = failure(path)
      unlink(neighbour)
      throw error
    }
  }

  private static func failure(_ path: String) -> ONNXFormatError {
    ONNXFormatError(.unwritable, "can't write \(path): \(String(cString: strerror(errno)))")
  }
}
