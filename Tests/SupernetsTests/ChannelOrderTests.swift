import Testing

@testable import Supernets

@Suite struct ChannelOrderTests {
  @Test func mostImportantFirst() {
    #expect(ChannelOrder([1, 3, 2]).indices == [1, 2, 0])
  }

  /// What earlier phases have ordered keeps its place; the narrowest part is ordered.
  @Test func trainedBandsStayBehind() {
    let order = ChannelOrder([1, 2, 3, 9, 8, 7], kept: 1, of: [2, 3, 6])
    #expect(Array(order.indices.prefix(3)) == [2, 1, 0])
    #expect(Set(order.indices.suffix(3)) == [3, 4, 5])
  }
}
