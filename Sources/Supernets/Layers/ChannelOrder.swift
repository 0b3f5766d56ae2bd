internal import Networks
internal import Tensors

/// Inner channels from the most important to the least: narrower forms of a layer then keep the
/// best ones (Cai et al. 2020, arXiv 1908.09791, section 3.3, "channel sorting").
struct ChannelOrder {
  let indices: [Int]

  /// - Parameters:
  ///   - importance: of each channel.
  ///   - stage: bands that earlier sorting has ordered and that must keep their places: with widths
  ///     `[48, 64, 96]` and stage 1 the channels from 64 on stay behind the others.
  ///   - widths: ascending.
  init(_ importance: [Float], kept stage: Int = 0, of widths: [Int] = []) {
    // Bands that are kept stand 100,000 apart, in float32 as published: within them only large
    // differences of importance still count.
    let bounds = stage > 0 ? widths.suffix(stage + 1).dropLast() : []
    let keys = importance.indices.map { channel -> Float in
      let band = bounds.count { channel >= $0 }
      let offset = 1e5 * Float(1 + bounds.count - band - widths.count)
      return band == 0 ? importance[channel] : importance[channel] + offset
    }
    indices = keys.indices.sorted { keys[$0] == keys[$1] ? $0 < $1 : keys[$0] > keys[$1] }
  }
}

extension Tensor {
  /// For a weight `[k, k, inputs, outputs]` the sum of absolute values of each input.
  var importanceOfInputs: [Float] {
    let (inputs, outputs) = (shape[2], shape[3])
    let values = array
    var sums = [Float](repeating: 0, count: inputs)
    for position in 0..<shape[0] * shape[1] {
      for input in 0..<inputs {
        let start = (position * inputs + input) * outputs
        for value in values[start..<start + outputs] { sums[input] += abs(value) }
      }
    }
    return sums
  }

  /// The tensor with one axis in another order.
  func permuted(axis: Int, _ order: ChannelOrder) -> Tensor {
    let length = shape[axis]
    precondition(order.indices.count == length, "one index for each channel")
    let inner = shape[(axis + 1)...].reduce(1, *)
    let values = array
    var result = self
    result.update { span in
      for outer in 0..<shape[..<axis].reduce(1, *) {
        for (to, from) in order.indices.enumerated() {
          for i in 0..<inner {
            span[(outer * length + to) * inner + i] = values[(outer * length + from) * inner + i]
          }
        }
      }
    }
    return result
  }
}

extension Parameter {
  func permute(axis: Int, _ order: ChannelOrder) { value = value.permuted(axis: axis, order) }
}

extension ElasticConvolution {
  func permuteInputs(_ order: ChannelOrder) { weight.permute(axis: 2, order) }

  /// For a depthwise layer these are its inputs too.
  func permuteOutputs(_ order: ChannelOrder) {
    weight.permute(axis: weight.value.rank - 1, order)
    for parameter in norm?.parameters ?? [] { parameter.permute(axis: 0, order) }
  }
}

extension Conv2d {
  func permuteInputs(_ order: ChannelOrder) { weight.permute(axis: 2, order) }

  func permuteOutputs(_ order: ChannelOrder) {
    weight.permute(axis: 3, order)
    bias?.permute(axis: 0, order)
  }
}
