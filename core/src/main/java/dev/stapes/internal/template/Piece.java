package dev.stapes.internal.template;

import java.util.List;

/** A part of a template. */
sealed interface Piece {
  /** Where it begins, from 1. */
  int line();

  /**
   * What is written as it is.
   *
   * @param line where it begins
   * @param text without what a neighbour trims
   */
  record Text(int line, String text) implements Piece {}

  /**
   * Between two braces: its value is written.
   *
   * @param line where it begins
   * @param tokens at least one
   */
  record Print(int line, List<Token> tokens) implements Piece {}

  /**
   * Between a brace and a percent sign.
   *
   * @param line where it begins
   * @param tokens at least one, its name first
   */
  record Tag(int line, List<Token> tokens) implements Piece {
    /** What is between the delimiters, as it may be quoted. */
    String quoted() {
      return String.join(" ", tokens.stream().map(Token::toString).toList());
    }
  }
}
