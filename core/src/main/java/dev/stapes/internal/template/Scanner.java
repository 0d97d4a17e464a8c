package dev.stapes.internal.template;

import java.util.ArrayList;
import java.util.List;

/** Cuts a template into its pieces. Comments are left out, verbatim parts are text. Used once. */
final class Scanner {
  private static final int PIECES = 20_000;
  private static final int TOKENS = 200;
  private static final String[] SYMBOLS = {"==", "!=", "<>", "<=", ">=", "&&", "||"};
  private static final String SINGLE = "<>!()[].,|:+-*/%^=";

  private final String source;
  private final List<Piece> pieces = new ArrayList<>();
  private int at;
  private int line = 1;
  private boolean trimNext;

  private Scanner(String source) {
    this.source = source;
  }

  /** The pieces in order. */
  static List<Piece> scan(String source) {
    Scanner scanner = new Scanner(source);
    while (scanner.at < source.length()) {
      scanner.next();
    }
    return scanner.pieces;
  }

  private void next() {
    int open = opening();
    if (open < 0) {
      text(source.substring(at), false);
      at = source.length();
      return;
    }
    boolean trims = source.startsWith("-", open + 2) && source.charAt(open + 1) != '#';
    text(source.substring(at, open), trims);
    int begin = line;
    at = open + 2 + (trims ? 1 : 0);
    switch (source.charAt(open + 1)) {
      case '#' -> skipTo("#}", begin);
      case '{' -> add(new Piece.Print(begin, tokens("}}", begin)));
      default -> tag(new Piece.Tag(begin, tokens("%}", begin)));
    }
  }

  private int opening() {
    for (int i = source.indexOf('{', at); i >= 0; i = source.indexOf('{', i + 1)) {
      if (i + 1 < source.length() && "{%#".indexOf(source.charAt(i + 1)) >= 0) {
        return i;
      }
    }
    return -1;
  }

  private void text(String text, boolean trimEnd) {
    String rest = trimNext ? text.stripLeading() : text;
    trimNext = false;
    if (trimEnd) {
      rest = rest.stripTrailing();
    }
    if (!rest.isEmpty()) {
      add(new Piece.Text(line, rest));
    }
    countLines(text);
  }

  private void countLines(String text) {
    line += (int) text.chars().filter(c -> c == '\n').count();
  }

  private void add(Piece piece) {
    if (pieces.size() >= PIECES) {
      throw BadTemplate.at(piece.line(), "more than the allowed " + PIECES + " parts");
    }
    pieces.add(piece);
  }

  private void tag(Piece.Tag tag) {
    switch (tag.tokens().get(0).text()) {
      case "comment" -> skipToTag("endcomment", tag);
      case "verbatim" -> {
        int from = at;
        boolean trims = trimNext;
        int to = skipToTag("endverbatim", tag);
        String text = source.substring(from, to);
        if (!text.isEmpty()) {
          add(new Piece.Text(tag.line(), trims ? text.stripLeading() : text));
        }
      }
      default -> add(tag);
    }
  }

  private void skipTo(String end, int begin) {
    int found = source.indexOf(end, at);
    if (found < 0) {
      throw BadTemplate.at(begin, "a comment without its end");
    }
    countLines(source.substring(at, found));
    at = found + end.length();
  }

  /** Goes behind a tag without looking at what is before it, and says where that begins. */
  private int skipToTag(String name, Piece.Tag of) {
    trimNext = false;
    for (int i = source.indexOf("{%", at); i >= 0; i = source.indexOf("{%", i + 2)) {
      int word = behindSpaces(i + 2 + (source.startsWith("-", i + 2) ? 1 : 0));
      if (source.startsWith(name, word)) {
        int close = behindSpaces(word + name.length());
        boolean trims = source.startsWith("-%}", close);
        if (trims || source.startsWith("%}", close)) {
          countLines(source.substring(at, close));
          at = close + (trims ? 3 : 2);
          trimNext = trims;
          return i;
        }
      }
    }
    throw BadTemplate.at(of.line(), BadTemplate.quote(of.quoted()) + " without its " + name);
  }

  private int behindSpaces(int from) {
    int behind = from;
    while (behind < source.length() && isSpace(source.charAt(behind))) {
      behind++;
    }
    return behind;
  }

  private List<Token> tokens(String end, int begin) {
    List<Token> tokens = new ArrayList<>();
    while (true) {
      while (at < source.length() && isSpace(source.charAt(at))) {
        line += source.charAt(at++) == '\n' ? 1 : 0;
      }
      if (at >= source.length()) {
        throw BadTemplate.at(begin, "ends before " + end);
      }
      boolean trims = source.startsWith("-" + end, at);
      if (trims || source.startsWith(end, at)) {
        at += end.length() + (trims ? 1 : 0);
        trimNext = trims;
        break;
      }
      tokens.add(token());
      if (tokens.size() > TOKENS) {
        throw BadTemplate.at(begin, "has more than the allowed " + TOKENS + " words");
      }
    }
    if (tokens.isEmpty()) {
      throw BadTemplate.at(begin, "nothing before " + end);
    }
    return tokens;
  }

  private static boolean isSpace(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
  }

  private static boolean isDigit(char c) {
    return c >= '0' && c <= '9';
  }

  private static boolean isLetter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  }

  private Token token() {
    char c = source.charAt(at);
    if (c == '"' || c == '\'') {
      return new Token(Token.Kind.STRING, string(c));
    }
    int from = at;
    if (isDigit(c) || isLetter(c)) {
      while (at < source.length() && (isDigit(source.charAt(at)) || isLetter(source.charAt(at)))) {
        at++;
      }
      String word = source.substring(from, at);
      if (isLetter(c)) {
        return new Token(Token.Kind.NAME, word);
      }
      if (word.length() > 18 || !word.chars().allMatch(d -> isDigit((char) d))) {
        throw BadTemplate.unsupported(line, word);
      }
      return new Token(Token.Kind.NUMBER, word);
    }
    for (String symbol : SYMBOLS) {
      if (source.startsWith(symbol, at)) {
        at += symbol.length();
        return new Token(Token.Kind.SYMBOL, symbol);
      }
    }
    if (SINGLE.indexOf(c) < 0) {
      throw BadTemplate.unsupported(line, source.substring(at, Math.min(source.length(), at + 10)));
    }
    at++;
    return new Token(Token.Kind.SYMBOL, String.valueOf(c));
  }

  private String string(char quote) {
    int begin = at++;
    StringBuilder text = new StringBuilder();
    while (at < source.length() && source.charAt(at) != quote && source.charAt(at) != '\n') {
      char c = source.charAt(at++);
      if (c == '\\' && at < source.length() && source.charAt(at) != '\n') {
        c = escaped(source.charAt(at++));
      }
      text.append(c);
    }
    if (at >= source.length() || source.charAt(at) != quote) {
      throw BadTemplate.at(
          line, "a string without its end: " + BadTemplate.quote(source.substring(begin, at)));
    }
    at++;
    return text.toString();
  }

  private char escaped(char c) {
    return switch (c) {
      case '"', '\'', '\\' -> c;
      case 'n' -> '\n';
      case 't' -> '\t';
      case 'r' -> '\r';
      default -> throw BadTemplate.unsupported(line, "\\" + c);
    };
  }
}
