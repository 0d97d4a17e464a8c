package dev.stapes.internal.template;

import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Translates expressions: into calls of functions of ours and names of ours, nothing else. The
 * precedence is pongo2's, in which {@code and} and {@code or} are equal and group to the right.
 */
final class Expressions {
  private static final int DEEPEST = 32;
  private static final Map<String, String> RELATIONS =
      Map.of(
          "==", "fn_eq",
          "!=", "fn_ne",
          "<>", "fn_ne",
          "<", "fn_lt",
          "<=", "fn_le",
          ">", "fn_gt",
          ">=", "fn_ge");
  private static final Set<String> RESERVED = Set.of("in", "and", "or", "not", "as", "export");

  private final List<Token> tokens;
  private final int line;
  private final Names names;
  private int at;
  private int depth;

  /**
   * At the first of some tokens.
   *
   * @param from index of that
   */
  Expressions(List<Token> tokens, int from, int line, Names names) {
    this.tokens = tokens;
    this.at = from;
    this.line = line;
    this.names = names;
  }

  /** All of it is one expression. */
  String whole() {
    String expression = expression();
    if (at < tokens.size()) {
      throw BadTemplate.unsupported(line, rest());
    }
    return expression;
  }

  /** As much of it as is one expression. */
  String expression() {
    if (++depth > DEEPEST) {
      throw BadTemplate.at(line, "nested deeper than the allowed " + DEEPEST);
    }
    String left = negation();
    if (word("and") || symbol("&&")) {
      left = "fn_and(" + left + ", " + expression() + ")";
    } else if (word("or") || symbol("||")) {
      left = "fn_or(" + left + ", " + expression() + ")";
    }
    depth--;
    return left;
  }

  /** What is not translated yet. */
  List<Token> left() {
    return tokens.subList(at, tokens.size());
  }

  private String negation() {
    if (!word("not") && !symbol("!")) {
      return relation();
    }
    int from = at - 1;
    if (++depth > DEEPEST) {
      throw BadTemplate.at(line, "nested deeper than the allowed " + DEEPEST);
    }
    boolean again = at < tokens.size() && (tokens.get(at).isWord("not") || tokens.get(at).is("!"));
    String negated = "fn_not(" + (again ? negation() : operand()) + ")";
    depth--;
    if (at < tokens.size() && (relationAt() || tokens.get(at).isWord("in"))) {
      // Versions of pongo2 differ in what is negated.
      throw BadTemplate.at(line, "needs brackets: " + quoted(from));
    }
    return negated;
  }

  private boolean relationAt() {
    Token token = tokens.get(at);
    return token.kind() == Token.Kind.SYMBOL && RELATIONS.containsKey(token.text());
  }

  private String relation() {
    String left = operand();
    if (at < tokens.size() && relationAt()) {
      String function = RELATIONS.getOrDefault(tokens.get(at++).text(), "");
      String right = operand();
      if (at < tokens.size() && relationAt()) {
        throw BadTemplate.unsupported(line, rest());
      }
      return function + "(" + left + ", " + right + ")";
    }
    return word("in") ? "fn_in(" + left + ", " + operand() + ")" : left;
  }

  private String operand() {
    String value = plain();
    while (symbol("|")) {
      value = filter(value);
    }
    return value;
  }

  private String filter(String value) {
    Token name = take(Token.Kind.NAME);
    int arguments = Functions.argumentsOfFilter(name.text());
    if (arguments == 0) {
      throw BadTemplate.unsupported(line, "|" + name.text());
    }
    String function = "filter_" + name.text() + "(" + value;
    if (symbol(":")) {
      if (arguments < 2) {
        throw BadTemplate.at(line, "takes no argument: " + BadTemplate.quote("|" + name.text()));
      }
      return function + ", " + plain() + ")";
    }
    return function + ")";
  }

  private String plain() {
    if (at >= tokens.size()) {
      throw BadTemplate.at(line, "ends where a value is expected: " + quoted(0));
    }
    Token token = tokens.get(at++);
    return switch (token.kind()) {
      case STRING -> names.text(token.text());
      case NUMBER -> token.text();
      case NAME -> path(token);
      case SYMBOL -> {
        if (!token.is("(")) {
          throw BadTemplate.unsupported(line, quotedRest(at - 1));
        }
        String inner = expression();
        require(")");
        yield inner;
      }
    };
  }

  private String path(Token name) {
    if (RESERVED.contains(name.text())) {
      throw BadTemplate.unsupported(line, quotedRest(at - 1));
    }
    if (symbol("(")) {
      return call(name);
    }
    String value = names.lookUp(name.text());
    int steps = 0;
    while (true) {
      if (symbol(".")) {
        Token key = tokens.size() > at ? tokens.get(at++) : name;
        if (key.kind() != Token.Kind.NAME && key.kind() != Token.Kind.NUMBER) {
          throw BadTemplate.unsupported(line, quotedRest(at - 1));
        }
        value = "fn_get(" + value + ", " + names.text(key.text()) + ")";
      } else if (symbol("[")) {
        value = "fn_get(" + value + ", " + expression() + ")";
        require("]");
      } else {
        break;
      }
      if (++steps > DEEPEST) {
        throw BadTemplate.at(line, "nested deeper than the allowed " + DEEPEST);
      }
    }
    if (at < tokens.size() && tokens.get(at).is("(")) {
      throw BadTemplate.unsupported(line, quoted(0));
    }
    return value;
  }

  private String call(Token name) {
    if (!name.text().equals("config_get")) {
      throw BadTemplate.unsupported(line, name.text() + "(");
    }
    String key = expression();
    require(",");
    String otherwise = expression();
    require(")");
    return "fn_config(" + names.lookUp("config") + ", " + key + ", " + otherwise + ")";
  }

  private boolean word(String word) {
    boolean there = at < tokens.size() && tokens.get(at).isWord(word);
    at += there ? 1 : 0;
    return there;
  }

  private boolean symbol(String symbol) {
    boolean there = at < tokens.size() && tokens.get(at).is(symbol);
    at += there ? 1 : 0;
    return there;
  }

  private Token take(Token.Kind kind) {
    if (at >= tokens.size() || tokens.get(at).kind() != kind) {
      throw BadTemplate.unsupported(line, quoted(0));
    }
    return tokens.get(at++);
  }

  private void require(String symbol) {
    if (!symbol(symbol)) {
      throw BadTemplate.at(line, "\"" + symbol + "\" is missing in " + quoted(0));
    }
  }

  private String rest() {
    return quotedRest(at);
  }

  private String quotedRest(int from) {
    return String.join(
        " ", tokens.subList(from, tokens.size()).stream().map(Token::toString).toList());
  }

  private String quoted(int from) {
    return BadTemplate.quote(quotedRest(from));
  }
}
