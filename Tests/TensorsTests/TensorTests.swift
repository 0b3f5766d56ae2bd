import Testing

@testable import Tensors

@Suite struct TensorTests {
  @Test func slicesAreViews() throws {
    let t = try Tensor((0..<24).map(Float.init), shape: [2, 3, 4])
    let s = try t.slice(axis: 1, 1..<3).slice(axis: 2, 0..<2)
    #expect(s.storage === t.storage)
    #expect(s.array == [4, 5, 8, 9, 16, 17, 20, 21])
    #expect(try s.reshaped([4, -1]).array == s.array)
    #expect(try t.permuted([2, 0, 1])[3, 1, 2] == t[1, 2, 3])
  }

  @Test func writingCopies() throws {
    let t = Tensor([1, 2, 3])
    var u = t
    u[1] = 9
    #expect(t.array == [1, 2, 3])
    #expect(u.array == [1, 9, 3])
  }

  @Test func errorsNameShapes() {
    #expect(throws: TensorError.shape("Tensor: [2, 2] has 4 elements, got 3")) {
      try Tensor([1, 2, 3], shape: [2, 2])
    }
  }
}
