import Architectures
import Testing

@testable import Store

@Suite struct CSVTableTests {
  @Test func quotingRoundTrips() throws {
    let table = CSVTable(
      header: ["a", "b,c", "d"],
      rows: [["1", "say \"hi\"", ""], ["two\nlines", "x,y", "é"], ["\r\n", "", "end"]])
    let back = try CSVTable(parsing: table.text, file: "t.csv")
    #expect(back.header == table.header)
    #expect(back.rows.map(\.fields) == table.rows.map(\.fields))
    #expect(back.rows.map(\.line) == [2, 3, 5])
  }

  @Test func lineEndsAndMark() throws {
    for text in ["a,b\n1,2", "a,b\r\n1,2\r\n", "\u{FEFF}a,b\n\n1,2\n\n"] {
      let table = try CSVTable(parsing: text, file: "t.csv")
      #expect(table.header == ["a", "b"])
      #expect(table.rows.map(\.fields) == [["1", "2"]])
    }
  }

  @Test(arguments: [
    ("", "t.csv:1: the file has no header line"),
    ("a,a\n", "t.csv:1: column 'a' occurs twice"),
    ("a,\n", "t.csv:1: a column has no name"),
    ("a,b\n1,2\n1\n", "t.csv:3: 1 fields where the header has 2"),
    ("a\n\"x", "t.csv:2: a quoted field is never closed"),
    ("a\n\"x\"y\n", "t.csv:2: text after a closing quote, or a lone carriage return"),
    ("a\nx\"y\n", "t.csv:2: a quote inside a field that does not start with one"),
  ])
  func mistakesAreNamed(text: String, message: String) {
    let error = #expect(throws: StoreError.self) { try CSVTable(parsing: text, file: "t.csv") }
    #expect(error?.message == message)
  }
}

@Suite struct SamplesCSVTests {
  @Test func roundTrip() throws {
    let samples = [sample("toy:1", 3.25), sample("toy:2", 0.1 + 0.2)]
    #expect(try SamplesCSV.parse(SamplesCSV.text(samples), file: "s.csv") == samples)
  }

  @Test func twoColumnsAreEnough() throws {
    let samples = try SamplesCSV.parse(
      "id,latency_ms\ntoy:1,12.5\nother,13\n", file: "s.csv", device: "phone")
    #expect(samples.map(\.device) == ["phone", "phone"])
    #expect(samples.map(\.space) == ["toy", ""])
    #expect(samples.map(\.network) == ["toy:1", "other"])
    #expect(samples.map(\.latencyMedian.value) == [12.5, 13])
  }

  @Test(arguments: [
    ("id\nx\n", "s.csv:1: no column 'latency_ms'"),
    ("id,latency_ms\n", "s.csv:1: the file has no samples"),
    ("id,latency_ms\na,2\n,3\n", "s.csv:3: no id"),
    ("id,latency_ms\na,\n", "s.csv:2: no latency_ms for a"),
    ("id,latency_ms\na,fast\n", "s.csv:2: latency_ms is 'fast', which is no number"),
    ("id,latency_ms\na,0\n", "s.csv:2: latency_ms is 0; above zero and finite is meant"),
    ("id,latency_ms\na,-3\n", "s.csv:2: latency_ms is -3; above zero and finite is meant"),
    ("id,latency_ms\na,nan\n", "s.csv:2: latency_ms is nan; above zero and finite is meant"),
    ("id,latency_ms\na,2\nb,3\na,4\n", "s.csv:4: a on 'd' was given on line 2 already"),
    ("id,latency_ms,p10_ms\na,2,3\n", "s.csv:2: p10_ms 3.0 is above latency_ms 2.0"),
    ("id,latency_ms,repeats\na,2,0\n", "s.csv:2: repeats is '0'; a whole number from 1 is meant"),
    ("id,latency_ms,stable\na,2,yes\n", "s.csv:2: stable is 'yes'; true or false is meant"),
    (
      "id,latency_ms\na,2\nb,2\nc,2\n",
      "s.csv:2: all 3 latencies are 2.0 ms: nothing can be learned from them"
    ),
  ])
  func mistakesAreNamed(text: String, message: String) {
    let error = #expect(throws: StoreError.self) {
      try SamplesCSV.parse(text, file: "s.csv", device: "d")
    }
    #expect(error?.message == message)
    #expect(error?.exitCode == 65)
  }

  @Test func unknownColumnsSecondsAndNoDevice() throws {
    let seconds = "id,latency_ms\na,0.0125\nb,0.02\n"
    for (text, word) in [
      ("id,latency_ms,color\na,2,red\n", "unknown column 'color'"),
      (seconds, "look like seconds"),
    ] {
      let error = #expect(throws: StoreError.self) {
        try SamplesCSV.parse(text, file: "s.csv", device: "d")
      }
      #expect(error?.message.contains(word) == true)
    }
    #expect(throws: StoreError.self) { try SamplesCSV.parse("id,latency_ms\na,2\n", file: "s.csv") }
    let read = try SamplesCSV.parse(
      seconds, file: "s.csv", device: "d", allowingSubMillisecond: true)
    #expect(read.count == 2)
    // What was measured by the worker protocol is in milliseconds.
    let own = "id,latency_ms,settings\na,0.0125,\nb,0.02,{}\n"
    #expect(try SamplesCSV.parse(own, file: "s.csv", device: "d").count == 2)
  }
}
