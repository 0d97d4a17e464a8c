package dev.stapes.storage.zfs;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** Streams of {@link FakeDatasets}; under the lock of {@link FakeZfs}. */
final class FakeTransfers {
  private static final int CHUNK = 64 << 10;
  private static final long RESUMING = 1L << 22;

  private final FakeDatasets all;
  private int padding;

  FakeTransfers(FakeDatasets all) {
    this.all = all;
  }

  void pad(int bytes) {
    padding = bytes;
  }

  byte[] send(List<String> arguments) throws FakeComplaint {
    if (arguments.contains("-t")) {
      return rest(arguments.get(2));
    }
    String name = arguments.get(arguments.size() - 1);
    FakeDataset node = all.node(name, "open");
    long base = 0;
    int from = arguments.indexOf("-i");
    if (from >= 0) {
      String other = arguments.get(from + 1);
      base = all.node(other, "open").guid;
      if (!isBefore(other, name)) {
        throw new FakeComplaint(
            "warning: cannot send '" + name + "': not an earlier snapshot from the same fs");
      }
    }
    return new FakeStream(node.guid, base, node.content, padding).bytes();
  }

  /**
   * By the guid, in the dataset of the name in the token first, then ever farther from it; the same
   * padding as before has to be wanted.
   */
  private byte[] rest(String text) throws FakeComplaint {
    ResumeToken token = ResumeToken.parse(text).orElseThrow();
    String name = FakePairs.name(text);
    FakeDataset node = null;
    for (String at = name; node == null && at.matches(".*[@/].*"); ) {
      at = at.substring(0, Math.max(at.lastIndexOf('@'), at.lastIndexOf('/')));
      String below = at;
      node =
          all.nodes.entrySet().stream()
              .filter(each -> each.getKey().matches("\\Q" + below + "\\E[@/].*"))
              .map(Map.Entry::getValue)
              .filter(each -> each.guid == token.guid())
              .findFirst()
              .orElse(null);
    }
    if (node == null) {
      throw new FakeComplaint(
          "cannot resume send: '" + name + "' used in the initial send no longer exists");
    }
    byte[] whole = new FakeStream(node.guid, token.base(), node.content, padding).bytes();
    int offset = Math.toIntExact(token.position().offset());
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(FakePairs.header(whole, RESUMING, token.position()));
    out.write(whole, offset, whole.length - offset);
    return out.toByteArray();
  }

  private boolean isBefore(String base, String snapshot) throws FakeComplaint {
    String at = snapshot;
    while (!at.isEmpty()) {
      String dataset = at.substring(0, at.indexOf('@'));
      if (base.startsWith(dataset + "@")) {
        return all.node(base, "open").created < all.node(at, "open").created
            || (base.equals(at) && !at.equals(snapshot));
      }
      at = all.node(dataset, "open").origin;
    }
    return false;
  }

  /** Reads a stream to its end, and keeps what comes where that is wanted. */
  byte[] receive(List<String> arguments, InputStream in, Object lock)
      throws FakeComplaint, IOException {
    ByteArrayOutputStream came = new ByteArrayOutputStream();
    byte[] chunk = new byte[CHUNK];
    for (int count = in.read(chunk); count >= 0; count = in.read(chunk)) {
      came.write(chunk, 0, count);
      if (arguments.contains("-s")) {
        synchronized (lock) {
          all.transactions++;
          take(arguments, came.toByteArray());
          lock.notifyAll();
          came.reset();
        }
      }
    }
    synchronized (lock) {
      all.transactions++;
      return arguments.contains("-s") ? finish(arguments) : whole(arguments, came.toByteArray());
    }
  }

  private static String name(List<String> arguments) {
    return arguments.get(arguments.size() - 1);
  }

  private static String dataset(List<String> arguments) {
    return name(arguments).substring(0, name(arguments).indexOf('@'));
  }

  /** Some bytes more; those of a rest come behind what is there. */
  private void take(List<String> arguments, byte[] bytes) throws FakeComplaint {
    FakeDataset there = all.nodes.get(dataset(arguments));
    if (there == null) {
      FakeDataset made = new FakeDataset();
      made.came = bytes;
      origin(arguments, made, ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong(48));
      all.add(dataset(arguments), made);
      return;
    }
    byte[] more = bytes;
    if (there.came.length > 0 && FakePairs.isRest(bytes, RESUMING)) {
      ResumeToken.Position position = StreamHeader.position(bytes).orElseThrow();
      if (position.offset() != there.came.length) {
        throw new FakeComplaint(
            "cannot receive resume stream: kernel modules must be upgraded to receive this"
                + " stream.");
      }
      more = Arrays.copyOfRange(bytes, FakePairs.size(bytes), bytes.length);
    }
    byte[] both = Arrays.copyOf(there.came, there.came.length + more.length);
    System.arraycopy(more, 0, both, there.came.length, more.length);
    there.came = both;
  }

  private byte[] finish(List<String> arguments) throws FakeComplaint {
    FakeDataset dataset = all.node(dataset(arguments), "open");
    FakeStream stream =
        FakeStream.parse(dataset.came)
            .orElseThrow(
                () ->
                    new FakeComplaint(
                        "cannot receive new filesystem stream: incomplete stream.\n"
                            + "Partially received snapshot is saved."));
    dataset.came = new byte[0];
    dataset.content = stream.content();
    all.snapshot(name(arguments));
    all.node(name(arguments), "open").guid = stream.guid();
    return new byte[0];
  }

  private void origin(List<String> arguments, FakeDataset made, long base) throws FakeComplaint {
    int option = arguments.indexOf("-o");
    if (option >= 0) {
      made.origin = arguments.get(option + 1).substring("origin=".length());
      if (all.node(made.origin, "open").guid != base) {
        throw new FakeComplaint(
            "cannot receive incremental stream: most recent snapshot of "
                + name(arguments)
                + " does not\nmatch incremental source");
      }
    }
  }

  private byte[] whole(List<String> arguments, byte[] bytes) throws FakeComplaint {
    FakeStream stream =
        FakeStream.parse(bytes)
            .orElseThrow(
                () -> new FakeComplaint("cannot receive new filesystem stream: incomplete stream"));
    FakeDataset made = new FakeDataset();
    origin(arguments, made, stream.base());
    made.content = stream.content();
    all.add(dataset(arguments), made);
    all.snapshot(name(arguments));
    all.node(name(arguments), "open").guid = stream.guid();
    return new byte[0];
  }

  /** The token of a dataset; {@code -} where nothing is missing in it. */
  static String token(FakeDataset dataset) {
    if (dataset.came.length < StreamHeader.BYTES) {
      return "-";
    }
    ByteBuffer header = ByteBuffer.wrap(dataset.came).order(ByteOrder.LITTLE_ENDIAN);
    return FakePairs.token(
        Map.of(
            "toguid",
            header.getLong(40),
            "fromguid",
            header.getLong(48),
            "object",
            1L,
            "offset",
            (long) dataset.came.length,
            "bytes",
            (long) dataset.came.length));
  }
}
