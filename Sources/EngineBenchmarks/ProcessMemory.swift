internal import Foundation

/// What Linux says about this process's memory.
public enum ProcessMemory {
  /// Resident now, in KiB; 0 if unknown.
  public static var resident: Int { field("VmRSS:") }
  /// The most that was ever resident, in KiB; 0 if unknown.
  public static var peak: Int { field("VmHWM:") }

  private static func field(_ name: String) -> Int {
    guard let data = FileManager.default.contents(atPath: "/proc/self/status") else { return 0 }
    for line in String(decoding: data, as: UTF8.self).split(separator: "\n")
    where line.hasPrefix(name) {
      return line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) } ?? 0
    }
    return 0
  }
}
