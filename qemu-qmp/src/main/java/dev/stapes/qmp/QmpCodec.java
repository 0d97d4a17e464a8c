package dev.stapes.qmp;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;

/** Messages as the bytes that go over a socket, for those who have no socket. */
public final class QmpCodec {
  /** Ends a word that would be none, and of which more might come. */
  private static final byte[] LINE_FEED = {'\n'};

  private QmpCodec() {}

  /**
   * The line that gives a command.
   *
   * @param id comes back with the answer
   */
  public static byte[] encode(QmpCommand<?> command, long id) {
    return Encoder.numbered(
        Encoder.encode("execute", command.commandName(), command.arguments()), id);
  }

  /**
   * The messages that bytes are, within the limits of {@link QmpOptions#defaults}.
   *
   * @throws QmpProtocolException where they are not messages, or the last one is not complete
   */
  public static List<ObjectNode> decode(byte[] bytes) {
    MessageReader reader = new MessageReader(QmpOptions.defaults());
    List<ObjectNode> messages = new ArrayList<>();
    reader.feed(bytes, 0, bytes.length, messages::add);
    reader.feed(LINE_FEED, 0, LINE_FEED.length, messages::add);
    if (reader.isWithinMessage()) {
      throw new QmpProtocolException("the last message is not complete");
    }
    return messages;
  }
}
