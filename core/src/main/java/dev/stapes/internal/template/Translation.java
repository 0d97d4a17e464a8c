package dev.stapes.internal.template;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;

/**
 * A template in Pebble's language. Of the text of the template nothing is in it: texts and strings
 * are variables, and so nothing in them can mean anything to Pebble.
 *
 * @param source for Pebble
 * @param texts the variables that the source refers to, by name
 */
record Translation(String source, Map<String, Object> texts) {
  private static final int DEEPEST = 16;

  static Translation of(String template) {
    Writer writer = new Writer();
    Scanner.scan(template).forEach(writer::write);
    return writer.finish();
  }

  /** A block that is open. */
  private enum Block {
    IF("endif"),
    IF_ELSE("endif"),
    FOR("endfor"),
    FOR_EMPTY("endfor");

    private final String end;

    Block(String end) {
      this.end = end;
    }
  }

  private static final class Writer {
    private final StringBuilder out = new StringBuilder();
    private final Names names = new Names();
    private final Deque<Block> blocks = new ArrayDeque<>();
    private int line = 1;

    void write(Piece piece) {
      if (piece instanceof Piece.Text text) {
        print(piece.line(), names.text(text.text()));
      } else if (piece instanceof Piece.Print print) {
        print(piece.line(), new Expressions(print.tokens(), 0, print.line(), names).whole());
      } else if (piece instanceof Piece.Tag tag) {
        tag(tag);
      }
    }

    private void print(int at, String value) {
      out.append("{{ ").append(lines(at)).append("fn_text(").append(value).append(") }}");
    }

    private StringBuilder begin(Piece.Tag tag) {
      return out.append("{% ").append(lines(tag.line()));
    }

    /** So that Pebble counts the lines of the template. */
    private String lines(int at) {
      String skipped = "\n".repeat(at - line);
      line = at;
      return skipped;
    }

    private void tag(Piece.Tag tag) {
      String name = tag.tokens().get(0).text();
      switch (name) {
        case "if" -> {
          open(Block.IF, tag);
          condition("if", tag);
        }
        case "elif" -> {
          requireIn(Block.IF, tag);
          condition("elseif", tag);
        }
        case "else" -> {
          requireIn(Block.IF, tag);
          turn(Block.IF_ELSE, tag);
        }
        case "for" -> loop(tag);
        case "empty" -> {
          requireIn(Block.FOR, tag);
          names.leaveLoop();
          turn(Block.FOR_EMPTY, tag);
        }
        case "endif", "endfor" -> close(name, tag);
        default -> throw BadTemplate.unsupported(tag.line(), "{% " + tag.quoted() + " %}");
      }
    }

    private void open(Block block, Piece.Tag tag) {
      if (blocks.size() >= DEEPEST) {
        throw BadTemplate.at(tag.line(), "nested deeper than the allowed " + DEEPEST);
      }
      blocks.push(block);
    }

    private void condition(String keyword, Piece.Tag tag) {
      String value = new Expressions(tag.tokens(), 1, tag.line(), names).whole();
      begin(tag).append(keyword).append(" fn_true(").append(value).append(") %}");
    }

    private void turn(Block into, Piece.Tag tag) {
      requireAlone(tag);
      blocks.pop();
      blocks.push(into);
      begin(tag).append("else %}");
    }

    private void loop(Piece.Tag tag) {
      List<Token> tokens = tag.tokens();
      List<String> variables = new ArrayList<>();
      int at = 1;
      while (at < tokens.size()
          && tokens.get(at).kind() == Token.Kind.NAME
          && !tokens.get(at).isWord("in")) {
        variables.add(tokens.get(at++).text());
        at += at < tokens.size() && tokens.get(at).is(",") ? 1 : 0;
      }
      boolean complete = at < tokens.size() && tokens.get(at).isWord("in");
      if (!complete || variables.isEmpty() || variables.size() > 2) {
        throw BadTemplate.unsupported(tag.line(), "{% " + tag.quoted() + " %}");
      }
      Expressions expressions = new Expressions(tokens, at + 1, tag.line(), names);
      String source = expressions.expression();
      boolean reversed = false;
      for (Token option : expressions.left()) {
        reversed |= option.isWord("reversed");
        // What is looped over is sorted in any case.
        if (!option.isWord("reversed") && !option.isWord("sorted")) {
          throw BadTemplate.unsupported(tag.line(), "{% " + tag.quoted() + " %}");
        }
      }
      open(Block.FOR, tag);
      String item = names.enterLoop(variables);
      begin(tag).append("for ").append(item).append(" in fn_each(").append(source);
      out.append(", ").append(reversed).append(") %}");
    }

    private void close(String name, Piece.Tag tag) {
      requireAlone(tag);
      Block block = blocks.peek();
      if (block == null || !block.end.equals(name)) {
        throw BadTemplate.at(tag.line(), "nothing that it ends: {% " + name + " %}");
      }
      if (block == Block.FOR) {
        names.leaveLoop();
      }
      blocks.pop();
      begin(tag).append(name).append(" %}");
    }

    private void requireIn(Block block, Piece.Tag tag) {
      if (blocks.peek() != block) {
        throw BadTemplate.at(
            tag.line(), "out of place: " + BadTemplate.quote("{% " + tag.quoted() + " %}"));
      }
    }

    private static void requireAlone(Piece.Tag tag) {
      if (tag.tokens().size() > 1) {
        throw BadTemplate.unsupported(tag.line(), "{% " + tag.quoted() + " %}");
      }
    }

    Translation finish() {
      Block open = blocks.peek();
      if (open != null) {
        throw BadTemplate.at(line, "ends without {% " + open.end + " %}");
      }
      return new Translation(out.toString(), names.texts());
    }
  }
}
