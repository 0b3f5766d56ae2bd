import Architectures
import Foundation
import Store
import Testing

@testable import Devices

/// The folder with published tables, which are not part of this repository: `$SWIFTLET_DATA/lut`.
let published: String? = {
  let data = ProcessInfo.processInfo.environment["SWIFTLET_DATA"] ?? "../shared/data"
  return FileManager.default.fileExists(atPath: "\(data)/lut/ofa_note10") ? "\(data)/lut" : nil
}()

/// The keys of a Once-for-All MobileNetV3 (width 1.2) in the published table's format.
///
/// - Note: Cai et al. 2020 (Once-for-All, arXiv 1908.09791), as its latency estimator walks.
private func ofaKeys(kernels: [Int], expands: [Int], depths: [Int], resolution: Int) -> [String] {
  func divisible(_ value: Double) -> Int {
    let rounded = max(8, Int(value + 4) / 8 * 8)
    return Double(rounded) < 0.9 * value ? rounded + 8 : rounded
  }
  func block(
    _ size: Int, _ width: Int, _ out: Int, _ wide: Int, _ middle: Int, _ kernel: Int,
    _ stride: Int, _ skip: Bool, _ squeeze: Bool, _ hard: Bool
  ) -> String {
    "expanded_conv-input:\(size)x\(size)x\(width)-output:\(out)x\(out)x\(wide)-expand:\(middle)"
      + "-kernel:\(kernel)-stride:\(stride)-idskip:\(skip ? 1 : 0)-se:\(squeeze ? 1 : 0)"
      + "-hs:\(hard ? 1 : 0)"
  }
  var size = (resolution + 1) / 2
  var keys = ["Conv-input:\(resolution)x\(resolution)x3-output:\(size)x\(size)x24"]
  keys.append(block(size, 24, size, 24, 24, 3, 1, true, false, false))
  var width = 24
  for (stage, wide) in [32, 48, 96, 136, 192].enumerated() {
    for index in 0..<depths[stage] {
      let stride = index == 0 ? [2, 2, 2, 1, 2][stage] : 1
      let out = (size - 1) / stride + 1
      let gene = 4 * stage + index
      let middle = divisible((Double(width * expands[gene])).rounded())
      keys.append(
        block(
          size, width, out, wide, middle, kernels[gene], stride, stride == 1 && width == wide,
          [false, true, false, true, true][stage], stage >= 2))
      (size, width) = (out, wide)
    }
  }
  keys.append("Conv_1-input:\(size)x\(size)x192-output:\(size)x\(size)x1152")
  keys.append("AvgPool2D-input:\(size)x\(size)x1152-output:1x1x1152")
  keys.append("Conv_2-input:1x1x1152-output:1x1x1536")
  keys.append("Logits-input:1x1x1536-output:1000")
  return keys
}

@Suite(.enabled(if: published != nil, "published tables are not here: SWIFTLET_DATA"))
struct PublishedTableTests {
  let folder = published ?? ""

  func rows(_ file: String) throws -> [[String: String]] {
    let path = "\(folder)/\(file)"
    let table = try CSVTable(
      parsing: String(contentsOfFile: path, encoding: .utf8), file: path)
    return table.rows.map { Dictionary(uniqueKeysWithValues: zip(table.header, $0.fields)) }
  }

  func numbers(_ text: String?) -> [Int] {
    (text ?? "").split(separator: " ").compactMap { Int($0) }
  }

  @Test func note10SumsOfTwoThousandNetworks() throws {
    let table = try PublishedTable.ofa.read(
      path: "\(folder)/ofa_note10", space: "ofa-mobilenetv3-w1.2", device: "note10")
    #expect(table.entries.count == 17 * 96)
    let rows = try rows("ofa_mbv3_w1.2_reference.csv")
    #expect(rows.count == 2000)
    var worst = 0.0
    for row in rows {
      let resolution = try #require(Int(row["r"] ?? ""))
      let keys = ofaKeys(
        kernels: numbers(row["ks"]), expands: numbers(row["e"]), depths: numbers(row["d"]),
        resolution: resolution)
      let sum = try table.sum(keys.map { table.key($0, resolution: resolution) })
      worst = max(worst, abs(sum.value - Double(row["note10_lut_ms"] ?? "")!))
    }
    #expect(worst <= 1e-5)
  }

  @Test(arguments: [
    (PublishedTable.proxylessnas, "proxylessnas_mobile_trim.yaml", "proxylessnas_pixel1.csv"),
    (.nsganetv2, "nsganetv2_i7-8700K_lut.yaml", "nsganetv2_i7-8700K.csv"),
  ])
  func tablesEqualTheirCSV(format: PublishedTable, file: String, csv: String) throws {
    let table = try format.read(path: "\(folder)/\(file)", space: "x", device: "x")
    let rows = try rows(csv)
    #expect(table.entries.count == rows.count)
    for row in rows {
      #expect(table.entries[row["key"] ?? ""]?.milliseconds.value == Double(row["mean_ms"] ?? ""))
    }
  }

  @Test(arguments: [("3x3-e3", 65.69), ("3x3-e6", 110.65), ("5x5-e3", 76.36), ("5x5-e6", 131.46)])
  func singlePathNetworksOfOneOperator(name: String, total: Double) throws {
    let table = try PublishedTable.singlepath.read(
      path: "\(folder)/singlepath_pixel1_runtime_model.json", space: "x", device: "pixel1")
    #expect(table.entries.count == 88)
    // 19.5999 ms are the stem, the head and the two fixed blocks, 0 and 21.
    let sum = try table.sum((1...20).map { "block:\($0)-op:\(name)" })
    #expect(abs(sum.value + 19.5999 - total) < 0.005)
  }
}
