import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A file's content, mapped into memory: what isn't looked at is never read.
final class FileBytes: @unchecked Sendable {
  // Unchecked, as the pointer keeps the compiler from seeing it: the memory is never written and
  // lives as long as this object.
  private let memory: UnsafeRawBufferPointer
  private let isMapped: Bool
  /// Folder of the file, where external data lies; `nil` for bytes in memory.
  let folder: URL?

  var count: Int { memory.count }

  /// - Throws: `ONNXFormatError` (`unreadable`) naming the file and the system's reason.
  init(_ url: URL) throws {
    let path = url.path
    let failure = {
      ONNXFormatError(.unreadable, "can't read it: \(String(cString: strerror(errno)))")
    }
    let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard file >= 0 else { throw failure() }
    defer { close(file) }
    var status = stat()
    guard fstat(file, &status) == 0 else { throw failure() }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw ONNXFormatError(.unreadable, "can't read it: it is no regular file")
    }
    folder = url.deletingLastPathComponent()
    let size = Int(status.st_size)
    guard size > 0 else {
      memory = UnsafeRawBufferPointer(start: nil, count: 0)
      isMapped = false
      return
    }
    guard let start = mmap(nil, size, PROT_READ, MAP_PRIVATE, file, 0), start != MAP_FAILED else {
      throw failure()
    }
    memory = UnsafeRawBufferPointer(start: start, count: size)
    isMapped = true
  }

  init(_ bytes: [UInt8]) {
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 8)
    copy.copyBytes(from: bytes)
    memory = UnsafeRawBufferPointer(copy)
    isMapped = false
    folder = nil
  }

  deinit {
    if isMapped {
      munmap(UnsafeMutableRawPointer(mutating: memory.baseAddress), memory.count)
    } else if memory.baseAddress != nil {
      memory.deallocate()
    }
  }

  /// The byte at `position`, which must be inside the file.
  subscript(position: Int) -> UInt8 {
    @inline(__always) get {
      precondition(position >= 0 && position < memory.count)
      return memory[position]
    }
  }

  /// Runs `body` on the bytes of `range`, which must be inside the file.
  func withBytes<Result>(
    _ range: Range<Int>, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) rethrows -> Result {
    precondition(range.lowerBound >= 0 && range.upperBound <= memory.count)
    return try body(UnsafeRawBufferPointer(rebasing: memory[range]))
  }

  func array(_ range: Range<Int>) -> [UInt8] { withBytes(range) { [UInt8]($0) } }
}
