package dev.stapes.qmp;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.async.ByteArrayFeeder;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Makes messages of bytes that come in any pieces. Between messages it holds next to nothing. Not
 * thread-safe.
 */
final class MessageReader {
  /** The size of a message is limited here, and with it that of all its parts. */
  private static final JsonFactory JSON =
      JsonFactory.builder()
          .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxNestingDepth(Integer.MAX_VALUE)
                  .maxStringLength(Integer.MAX_VALUE)
                  .build())
          .build();

  private final int largest;
  private final TreeBuilder tree;
  private @Nullable JsonParser parser;

  /** How many bytes the parser was fed, and how many of them were before the message. */
  private long fed;

  private long start;

  MessageReader(QmpOptions options) {
    this.largest = options.largestMessage();
    this.tree = new TreeBuilder(options.deepestMessage(), options.mostValues());
  }

  /** Whether a message has begun and not ended. */
  boolean isWithinMessage() {
    return tree.isOpen();
  }

  /** Forgets what has begun. */
  void reset() {
    if (parser != null) {
      try {
        parser.close();
      } catch (IOException e) {
        throw new QmpProtocolException("cannot be left: " + e.getClass().getSimpleName());
      }
      parser = null;
    }
    tree.clear();
    fed = 0;
    start = 0;
  }

  /**
   * Takes the next bytes.
   *
   * @param sink gets each message that is complete with them; may {@link #reset}, and then the rest
   *     of the bytes is ignored
   * @throws QmpProtocolException where they are no message, or too large a one; nothing can be made
   *     of what follows
   */
  void feed(byte[] bytes, int from, int to, Consumer<ObjectNode> sink) {
    try {
      JsonParser current = parser == null ? open() : parser;
      ((ByteArrayFeeder) current.getNonBlockingInputFeeder()).feedInput(bytes, from, to);
      fed += to - from;
      // After a line feed nothing of another value has begun, and the parser may go.
      read(current, to > from && bytes[to - 1] == '\n', sink);
    } catch (JsonProcessingException e) {
      // Its message would have parts of what was said, secrets too.
      long at = e.getLocation() == null ? -1 : e.getLocation().getByteOffset() - start;
      throw new QmpProtocolException("what was said is no JSON, at byte " + at + " of a message");
    } catch (IOException e) {
      throw new QmpProtocolException("what was said is no JSON: " + e.getClass().getSimpleName());
    }
  }

  private JsonParser open() throws IOException {
    JsonParser opened = JSON.createNonBlockingByteArrayParser();
    parser = opened;
    return opened;
  }

  private void read(JsonParser current, boolean endsLine, Consumer<ObjectNode> sink)
      throws IOException {
    while (true) {
      JsonToken token = current.nextToken();
      if (token == null || token == JsonToken.NOT_AVAILABLE) {
        break;
      }
      if (!tree.isOpen()) {
        start = current.currentLocation().getByteOffset() - 1;
      }
      ObjectNode message = tree.take(token, current);
      if (message != null) {
        limit(current.currentLocation().getByteOffset() - start);
        sink.accept(message);
        if (parser != current) {
          return;
        }
      }
    }
    if (tree.isOpen()) {
      limit(fed - start);
    } else if (endsLine) {
      reset();
    }
  }

  private void limit(long length) {
    if (length > largest) {
      throw new QmpProtocolException(
          "a message of more than " + largest + " bytes, which is the limit");
    }
  }
}
