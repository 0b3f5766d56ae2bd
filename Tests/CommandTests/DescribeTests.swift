import Foundation
import Testing

struct DescribeTests {
  @Test(arguments: [
    "ofa-mobilenetv3:r128-k3e4_k5e6-k7e3_k3e3-k3e3_k3e3-k3e3_k3e3-k3e3_k7e3_k5e6",
    "ofa-proxylessnas:r128-k3e3_k3e3-k3e3_k3e3-k3e3_k3e3-k3e3_k3e3-k3e3_k3e3-k5e4",
    "nasbench201:c3-c3_skip-none_c1_p3",
    "fbnet:k3e1-k3e6_k5e1_k3e1g2_skip-k5e6_k5e3_k3e6_k5e6-k5e6_k5e6_skip_k5e3-k5e6_k3e1_k5e1_k5e3-k5e6_k5e1_k5e6_k5e1g2-k3e6",
  ])
  func aFileAndItsIDHaveTheSameText(id: String) throws {
    let command = try Command()
    defer { command.remove() }
    #expect(try command.run("export", id, "-o", "net.onnx", "--batch", "1").status == 0)
    let fromSpace = try command.run("describe", id, "--json").json
    let fromFile = try command.run("describe", "net.onnx", "--json").json
    #expect(fromSpace["schema"] as? String == "swiftlet.description")
    #expect(fromSpace["id"] as? String == id)
    for key in ["text", "macs", "parameters", "activationBytes", "weightBytes"] {
      #expect("\(fromSpace[key] ?? "none")" == "\(fromFile[key] ?? "missing")", "\(key)")
    }
  }

  @Test func anExportMakesItsFolder() throws {
    let command = try Command()
    defer { command.remove() }
    func export(_ path: String) throws -> Command.Result {
      try command.run("export", "nasbench201:c3-c3_c3-c3_c3_c3", "-o", path)
    }
    let made = try export("new/deep/net.onnx")
    #expect(made.status == 0, "\(made.errors)")
    #expect(FileManager.default.fileExists(atPath: command.path("new/deep/net.onnx")))
    let blocked = try export("new/deep/net.onnx/net.onnx")
    #expect(blocked.status == 1)
    #expect(blocked.errors.contains("net.onnx/net.onnx: can't be written"), "\(blocked.errors)")
  }

  @Test func spacesAreListedAndSampled() throws {
    let command = try Command()
    defer { command.remove() }
    let list = try command.run("space", "list", "--json").json
    let names = (list["spaces"] as? [[String: Any]])?.compactMap { $0["name"] as? String } ?? []
    #expect(names.contains("ofa-resnet50"))
    let once = try command.run("space", "sample", "fbnet", "-n", "5", "--seed", "3").output
    let again = try command.run("space", "sample", "fbnet", "-n", "5", "--seed", "3").output
    #expect(once == again)
    #expect(Set(once.split(separator: "\n")).count == 5)
  }
}
