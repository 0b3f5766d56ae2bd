/// Splits a command line into words as a shell does, with single and double quotes and backslashes,
/// but with nothing else of a shell: no variables, no wildcards.
public enum CommandWords {
  /// - Throws: `DevicesError.badSettings` when a quote is never closed.
  public static func split(_ text: String) throws -> [String] {
    var words: [String] = []
    var word: String?
    var quote: Character?
    var isEscaped = false
    for character in text {
      if isEscaped {
        word = (word ?? "") + String(character)
        isEscaped = false
      } else if character == "\\", quote != "'" {
        isEscaped = true
      } else if let open = quote {
        if character == open { quote = nil } else { word = (word ?? "") + String(character) }
      } else if character == "'" || character == "\"" {
        quote = character
        word = word ?? ""
      } else if character.isWhitespace {
        if let whole = word { words.append(whole) }
        word = nil
      } else {
        word = (word ?? "") + String(character)
      }
    }
    guard quote == nil, !isEscaped else {
      throw DevicesError(.badSettings, "a quote or backslash is left open in: \(text)")
    }
    if let word { words.append(word) }
    return words
  }
}
