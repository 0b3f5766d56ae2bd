#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A lock that one process holds at a time, and one holder within a process. It goes with its
/// holder, however that ends; the file stays.
package struct FileLock {
  private let file: Int32

  /// Takes the lock at `path`.
  ///
  /// - Parameter whileWaiting: called ten times a second as long as another holds it; may throw.
  /// - Throws: `FileError`, and what `whileWaiting` throws.
  package init(_ path: String, whileWaiting: () throws -> Void = {}) throws {
    file = open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0o666)
    guard file >= 0 else { throw FileError(path, errno) }
    do {
      while flock(file, LOCK_EX | LOCK_NB) != 0 {
        guard errno == EWOULDBLOCK || errno == EINTR else { throw FileError(path, errno) }
        try whileWaiting()
        usleep(100_000)
      }
    } catch {
      close(file)
      throw error
    }
  }

  package func release() { close(file) }
}
