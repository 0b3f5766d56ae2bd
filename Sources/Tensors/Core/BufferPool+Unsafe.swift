import CKernels
import Synchronization

/// Float buffers by size class, kept for reuse: a training step that repeats allocates nothing.
///
/// `@unchecked Sendable`: the free lists and counters are only touched inside the mutex.
final class BufferPool: @unchecked Sendable {
  /// A buffer on its way between owners; `@unchecked Sendable`: it has one owner at a time.
  private struct Block: @unchecked Sendable {
    let pointer: UnsafeMutablePointer<Float>
  }
  private struct State {
    var free: [Int: [Block]] = [:]
    var held = 0
    var live = 0
    var peak = 0
    var largest = 0
  }
  private let state = Mutex(State())

  deinit { drain() }

  /// A size class: at most 1/8 more than asked, so that near sizes share buffers.
  static func capacity(for count: Int) -> Int {
    let needed = max(count + Int(CK_SLACK), 64)
    let step = max(16, 1 << max(0, Int.bitWidth - needed.leadingZeroBitCount - 4))
    return (needed + step - 1) / step * step
  }

  /// A buffer of `capacity(for: count)` floats with undefined contents.
  func take(_ count: Int) -> UnsafeMutablePointer<Float> {
    let capacity = Self.capacity(for: count)
    let found = state.withLock { state -> Block? in
      state.largest = max(state.largest, capacity * 4)
      if let buffer = state.free[capacity]?.popLast() {
        state.held -= capacity * 4
        state.live += capacity * 4
        return buffer
      }
      state.live += capacity * 4
      state.peak = max(state.peak, state.live + state.held)
      return nil
    }
    return found?.pointer ?? Self.allocate(capacity)
  }

  func give(_ buffer: UnsafeMutablePointer<Float>, _ count: Int) {
    let capacity = Self.capacity(for: count)
    let block = Block(pointer: buffer)
    state.withLock { state in
      state.free[capacity, default: []].append(block)
      state.held += capacity * 4
      state.live -= capacity * 4
    }
  }

  func drain() {
    let buffers = state.withLock { state in
      defer {
        state.free = [:]
        state.held = 0
      }
      return state.free.values.flatMap { $0 }
    }
    for buffer in buffers { ck_free(buffer.pointer) }
  }

  var statistics: (held: Int, peak: Int, largest: Int) {
    state.withLock { ($0.held, $0.peak, $0.largest) }
  }

  static func allocate(_ capacity: Int) -> UnsafeMutablePointer<Float> {
    guard let memory = ck_allocate(Int64(capacity)) else {
      preconditionFailure("no memory for \(capacity) floats")
    }
    return memory
  }
}
