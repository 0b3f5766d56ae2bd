internal import Files
internal import Foundation

/// What a training has reached, one row an evaluated epoch: `log.csv`.
public struct TrainingLog {
  /// Top-1 on the validation images, 0...1.
  public struct Accuracies: Sendable, Equatable {
    public var smallest: Double
    public var random: Double
    public var largest: Double
  }

  public struct Row: Sendable, Equatable {
    public var phase: String
    /// Epochs since the start of the first phase.
    public var epoch: Int
    public var loss: Double
    public var accuracy: Accuracies
    public var imagesPerSecond: Double
    /// Since the row before, evaluation included.
    public var seconds: Double
  }

  private static let header = "phase,epoch,loss,smallest,random,largest,images_per_second,seconds"
  private let path: String

  init(_ path: String) { self.path = path }

  /// - Throws: `checkpoint` if the file is not such a log.
  public static func rows(_ path: String) throws -> [Row] {
    guard let data = FileManager.default.contents(atPath: path) else { return [] }
    let lines = String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init)
    guard lines.first == header else {
      throw SupernetsError(.checkpoint, "\(path): not a log of a training")
    }
    return try lines.dropFirst().enumerated().map { index, line in
      let cells = line.split(separator: ",").map(String.init)
      let numbers = cells.dropFirst().compactMap(Double.init)
      guard cells.count == 8, numbers.count == 7, let epoch = Int(cells[1]) else {
        throw SupernetsError(.checkpoint, "\(path):\(index + 2): 8 cells expected: \(line)")
      }
      return Row(
        phase: cells[0], epoch: epoch, loss: numbers[1],
        accuracy: Accuracies(smallest: numbers[2], random: numbers[3], largest: numbers[4]),
        imagesPerSecond: numbers[5], seconds: numbers[6])
    }
  }

  /// Drops rows of epochs that a killed run had logged but not saved.
  func keep(through epoch: Int) throws {
    try write(try Self.rows(path).filter { $0.epoch <= epoch })
  }

  func append(_ state: SupernetTrainer.Progress, epoch: Int, seconds: Double) throws {
    guard let accuracy = state.accuracy else { return }
    let row = Row(
      phase: state.phase, epoch: epoch, loss: Double(state.loss), accuracy: accuracy,
      imagesPerSecond: state.imagesPerSecond, seconds: seconds)
    try write(try Self.rows(path) + [row])
  }

  private func write(_ rows: [Row]) throws {
    func text(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }
    let lines = rows.map { row in
      [
        row.phase, String(row.epoch), text(row.loss, 4), text(row.accuracy.smallest, 4),
        text(row.accuracy.random, 4), text(row.accuracy.largest, 4),
        text(row.imagesPerSecond, 1), text(row.seconds, 1),
      ].joined(separator: ",")
    }
    let content = ([Self.header] + lines).map { $0 + "\n" }.joined()
    do {
      try AtomicFile.replace(path, with: Data(content.utf8))
    } catch {
      throw SupernetsError(.unwritable, "\(error)")
    }
  }
}
