import Foundation
import Predictors

/// Published accuracy tables in a folder, each read and encoded once.
final class AccuracyTables {
  private let folder: String
  private let lut: String
  private let encoder = ArchitectureEncoder()
  private var known: [String: AccuracyTable] = [:]

  init(folder: String, lut: String) {
    self.folder = folder
    self.lut = lut
  }

  /// One of the tables by what it is called in tasks.
  enum Source: String, CaseIterable {
    case nb101 = "NB101"
    case nb101Short = "NB101, 4 epochs"
    case nb101Full = "NB101, 108 epochs"
    case nb101Quick = "NB101, 12 epochs"
    case nb201 = "NB201"
    case accel = "Accel-NASBench"
    case ofa = "OFA-MobileNetV3"
    case enas = "ENAS macro"
    case multiResolution = "NB-MR"

    var file: (name: String, format: AccuracyTable.Format, target: String) {
      switch self {
      case .nb101: ("nb101_val_quantile.csv", .nasBench101, "val_quantile")
      case .nb101Short: ("nb101_ecnas_e4.csv", .nasBench101, "val_acc_e4")
      case .nb101Full: ("nb101_multi_epoch.csv", .nasBench101, "acc_e108")
      case .nb101Quick: ("nb101_multi_epoch.csv", .nasBench101, "acc_e12")
      case .nb201: ("nb201_accuracy.csv", .nasBench201, "c10_val_e200")
      case .accel: ("accel_nasbench_imagenet.csv", .mobileBlocks, "val_top1")
      case .ofa: ("ofa_mbv3_w1.0_imagenet_top1.csv", .onceForAll, "top1")
      case .enas: ("enas6_weight_sharing.csv", .macro, "ws_acc")
      case .multiResolution: ("nasbench_mr.csv", .multiResolution, "cls-50-1000_top1")
      }
    }
  }

  func table(_ source: Source) throws -> AccuracyTable {
    if let table = known[source.rawValue] { return table }
    let (name, format, target) = source.file
    let path = (source == .ofa ? lut : folder) + "/" + name
    guard let text = try TextFile.read(path) else {
      throw Failure(.input, "\(path): no such file, nor with .gz behind")
    }
    let table = try AccuracyTable(
      parsing: text, file: path, format: format, target: target, name: source.rawValue,
      encoder: encoder)
    known[source.rawValue] = table
    return table
  }
}
