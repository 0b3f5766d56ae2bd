public import Architectures
import Foundation
public import Store

/// Something that runs networks: a worker command, and how networks are run there.
public struct Device: Codable, Equatable, Sendable {
  /// How a network reaches the worker: by its path, or inside the request (for remote workers).
  public enum Transfer: String, Codable, Sendable, CaseIterable {
    case path, inline
  }

  public var name: String
  /// The worker's program and its arguments; run without a shell.
  public var worker: [String]
  public var threads: Int
  public var batch: Int
  public var precision: String
  /// The runtime's graph optimisation: all, extended, basic or off.
  public var optimization: String
  public var transfer: Transfer
  public var measurement: MeasurementSettings
  /// The reference network's latency here in quiet times, to which all latencies are scaled; learned
  /// at the first measurement when absent.
  public var quietReference: Milliseconds?
  /// What the worker said of itself when the quiet reference was learned.
  public var quietReferenceWorker: String?
  public var notes: String

  public init(
    name: String, worker: [String], threads: Int = 1, batch: Int = 1, precision: String = "float32",
    optimization: String = "all", transfer: Transfer = .path,
    measurement: MeasurementSettings = MeasurementSettings(), notes: String = ""
  ) {
    self.name = name
    self.worker = worker
    self.threads = threads
    self.batch = batch
    self.precision = precision
    self.optimization = optimization
    self.transfer = transfer
    self.measurement = measurement
    self.notes = notes
  }

  /// - Throws: `DevicesError.badSettings` naming the first value out of range.
  public func validate() throws {
    func bad(_ what: String) -> DevicesError {
      DevicesError(.badSettings, "device '\(name)': \(what)")
    }
    guard !name.isEmpty, name.allSatisfy({ $0.isLetter || $0.isNumber || "-_.".contains($0) })
    else {
      throw bad("a name has letters, digits, '-', '_' and '.' only")
    }
    // Its tables are kept in a folder of this name.
    guard name.contains(where: { $0 != "." }) else { throw bad("a name is not of dots alone") }
    guard let program = worker.first, !program.isEmpty else {
      throw bad(
        "the worker command is empty; for example \"python3 workers/onnxruntime_worker.py\"")
    }
    guard !worker.contains(where: { $0.utf8.contains(0) }) else {
      throw bad("the worker command holds a zero byte")
    }
    guard (1...1024).contains(threads) else { throw bad("threads are \(threads); 1 to 1024") }
    guard (1...65536).contains(batch) else { throw bad("the batch is \(batch); 1 to 65536") }
    guard !precision.isEmpty, !optimization.isEmpty else {
      throw bad("precision and optimization may not be empty")
    }
    if let cpus = measurement.cpus, Set(cpus).count < threads {
      throw bad("\(threads) threads need as many processors, got \(cpus)")
    }
    try measurement.validate()
  }

  /// The circumstances under which this device's samples are comparable; see `Sample.conditions`.
  public var conditions: String {
    Sample.conditions(
      threads: threads, batch: batch, precision: precision, optimization: optimization)
  }

  /// The same, without the runtime and the processor, which the worker knows.
  public var circumstances: Circumstances {
    Circumstances(
      threads: threads, batch: batch, precision: precision, optimization: optimization)
  }
}

extension Store {
  /// Every device, by name.
  public func devices() throws -> [Device] {
    try storedDevices().map(Self.device)
  }

  /// The device called `name`.
  ///
  /// - Throws: `StoreError.notFound`, naming the devices there are.
  public func device(named name: String) throws -> Device {
    try Self.device(storedDevice(named: name))
  }

  /// Adds `device` after validating it.
  ///
  /// - Throws: `DevicesError.badSettings`; `StoreError.exists` if the name is taken.
  public func add(_ device: Device, replacing: Bool = false) throws {
    try device.validate()
    try addDevice(
      StoredDevice(name: device.name, description: JSONText.encode(device)), replacing: replacing)
  }

  /// Keeps `learned` as the quiet reference of `device`, unless the store has one by now, or another
  /// device of that name.
  ///
  /// - Returns: the quiet reference in force for `device`.
  func keepQuietReference(
    _ learned: Milliseconds, worker: WorkerDescription, of device: Device
  ) throws -> Milliseconds {
    var inForce = learned
    try changeDevice(named: device.name) { stored in
      var changed = try Self.device(stored)
      let kept = changed.quietReference
      changed.quietReference = device.quietReference
      changed.quietReferenceWorker = device.quietReferenceWorker
      guard changed == device else { return nil }
      if let kept {
        inForce = kept
        return nil
      }
      changed.quietReference = learned
      changed.quietReferenceWorker = worker.description
      return try JSONText.encode(changed)
    }
    return inForce
  }

  private static func device(_ stored: StoredDevice) throws -> Device {
    do {
      return try JSONDecoder().decode(Device.self, from: Data(stored.description.utf8))
    } catch {
      throw DevicesError(
        .badSettings,
        "device '\(stored.name)': its description in the store cannot be read; remove and add it")
    }
  }
}
