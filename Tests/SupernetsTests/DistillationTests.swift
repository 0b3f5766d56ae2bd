import Foundation
import Networks
import Testing

@testable import Supernets
@testable import Tensors

@Suite struct DistillationTests {
  /// The gradient of the loss is that of the larger of both divergences, by central differences in
  /// double precision; ratios stay below the clip.
  @Test(arguments: [UInt64(1), 2, 3, 4])
  func alphaFollowsTheLargerDivergence(seed: UInt64) throws {
    var random = RandomStream(seed: seed)
    let (rows, classes) = (1, 5)
    let teacher = random.normal([rows, classes], deviation: 0.4)
    let student = random.normal([rows, classes], deviation: 0.4)
    let parameter = Parameter(student)
    let tape = Tape(try Engine(threads: 1))
    try Divergence.alpha(tape.parameter(parameter), teacher: teacher).backward()
    let gradient = try #require(parameter.gradient).array.map(Double.init)

    let p = softmax(teacher.array.map(Double.init))
    func divergence(_ logits: [Double]) -> Double {
      let q = softmax(logits)
      let below = zip(p, q).reduce(0) { $0 + $1.1 * ($1.1 / $1.0 - 1) / 2 }
      let above = zip(p, q).reduce(0) { $0 + $1.0 * log($1.0 / $1.1) }
      return max(below, above)
    }
    let logits = student.array.map(Double.init)
    for i in 0..<classes {
      var (plus, minus) = (logits, logits)
      plus[i] += 1e-5
      minus[i] -= 1e-5
      let slope = (divergence(plus) - divergence(minus)) / 2e-5
      #expect(abs(slope - gradient[i]) < 1e-5, "\(i): \(gradient[i]), differences say \(slope)")
    }
  }

  /// Where the student is sure and wrong, alpha = 1 is the larger, and its ratios are not clipped: the
  /// gradient is that of the divergence of the teacher from the student, `q - p`.
  @Test func aSureStudentLearnsTheTeachersClass() throws {
    let teacher: [Float] = [4, 0, 0, 0, 0]
    let student: [Float] = [-1, 3, 0, 0, 0]
    let parameter = Parameter(try Tensor(student, shape: [1, 5]))
    let tape = Tape(try Engine(threads: 1))
    try Divergence.alpha(tape.parameter(parameter), teacher: try Tensor(teacher, shape: [1, 5]))
      .backward()
    let gradient = try #require(parameter.gradient).array.map(Double.init)
    let (p, q) = (softmax(teacher.map(Double.init)), softmax(student.map(Double.init)))
    for i in 0..<5 { #expect(abs(gradient[i] - (q[i] - p[i])) < 1e-5, "\(i): \(gradient[i])") }
  }

  private func softmax(_ logits: [Double]) -> [Double] {
    let sum = logits.reduce(0) { $0 + exp($1) }
    return logits.map { exp($0) / sum }
  }
}
