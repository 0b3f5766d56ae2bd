extension GroupedFeatures {
  /// Centres of clusters that stand for the points (Lloyd 1982): the first `count` points, moved
  /// `rounds` times to the mean of what is nearest to them.
  /// - Parameter weights: of each group in squared distances.
  func centres(_ count: Int, weights: [Double], rounds: Int = 8) throws -> GroupedFeatures {
    var centres = self[0..<Swift.min(count, self.count)]
    for _ in 0..<rounds {
      let nearest = try nearest(centres, weights)
      var sums = [Float](repeating: 0, count: centres.count * width)
      var sizes = [Float](repeating: 0, count: centres.count)
      for (row, centre) in nearest.enumerated() {
        sizes[centre] += 1
        for column in 0..<width { sums[centre * width + column] += values[row * width + column] }
      }
      let moved = sums.indices.map { place in
        let size = sizes[place / width]
        return size > 0 ? sums[place] / size : centres.values[place]
      }
      centres = GroupedFeatures(moved, count: centres.count, groups: groups)
    }
    return centres
  }

  /// The centre nearest to each point.
  private func nearest(_ centres: GroupedFeatures, _ weights: [Double]) throws -> [Int] {
    let products = try products(centres)
    let lengths = centres.squaredLengths
    return (0..<count).map { row in
      var (best, least) = (0, Double.infinity)
      for centre in 0..<centres.count {
        var distance = 0.0
        for (group, weight) in weights.enumerated() {
          let product = products[group][row * centres.count + centre]
          distance += weight * Double(lengths[group][centre] - 2 * product)
        }
        if distance < least { (best, least) = (centre, distance) }
      }
      return best
    }
  }
}
