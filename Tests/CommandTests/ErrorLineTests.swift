import Testing

/// What a user reads of an error is one line of bounded length, whatever it quotes.
struct ErrorLineTests {
  @Test func errorsAreOneShortLine() throws {
    let command = try Command()
    defer { command.remove() }
    let torn = try command.run("space", "show", "two\nlines\u{2028}more")
    #expect(torn.errors.hasPrefix("error: no search space 'two\\nlines\\u{2028}more'; known: "))
    #expect(torn.errors.split(whereSeparator: \.isNewline).count == 1)
    let long = try command.run("space", "show", String(repeating: "x", count: 20_000))
    #expect(long.status == 65)
    #expect(long.errors.utf8.count < 2100 && long.errors.hasSuffix("...\n"))
  }

  @Test func anySeedIsShown() throws {
    let command = try Command()
    defer { command.remove() }
    let seed = "18446744073709551615"
    let sample = try command.run("space", "sample", "fbnet", "-n", "1", "--seed", seed, "--json")
    #expect(sample.status == 0)
    #expect(sample.output.contains("\"seed\":\(seed)"))
  }
}
