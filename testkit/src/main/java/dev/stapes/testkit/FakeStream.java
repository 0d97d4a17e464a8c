package dev.stapes.testkit;

import dev.stapes.model.StapesException;
import dev.stapes.spi.Tree;
import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/** The stream format of fake volumes. Never instantiated. */
final class FakeStream {
  private static final int MAGIC = 0x66616b65;
  private static final int END = 0x656e6421;

  private FakeStream() {}

  /** What a stream holds. */
  record Content(UUID identity, Optional<UUID> base, FakeInode root) {}

  /** What a stream begins with. */
  record Start(UUID identity, Optional<UUID> base) {}

  /** Reads the start of a stream; INVALID where it is none or ends early. */
  static Start start(byte[] stream) {
    DataInputStream in = new DataInputStream(new ByteArrayInputStream(stream));
    try {
      return start(in);
    } catch (IOException e) {
      throw new StapesException(
          StapesException.Kind.INVALID, "stream", "ends early: " + e.getMessage(), e);
    }
  }

  private static Start start(DataInputStream in) throws IOException {
    if (in.readInt() != MAGIC) {
      throw StapesException.invalid("stream", "not a stream of fake volumes");
    }
    UUID identity = readUuid(in);
    return new Start(identity, in.readBoolean() ? Optional.of(readUuid(in)) : Optional.empty());
  }

  static void write(FakeVolume volume, Optional<UUID> base, OutputStream target) {
    DataOutputStream out = new DataOutputStream(target);
    synchronized (volume) {
      try {
        out.writeInt(MAGIC);
        write(out, volume.identity);
        out.writeBoolean(base.isPresent());
        if (base.isPresent()) {
          write(out, base.get());
        }
        write(out, volume.root, new HashMap<>());
        out.writeInt(END);
        out.flush();
      } catch (IOException e) {
        throw new StapesException(
            StapesException.Kind.UNAVAILABLE, "stream", "cannot be written: " + e.getMessage(), e);
      }
    }
  }

  /** Reads a whole stream; INVALID where it is none or ends early. */
  static Content read(InputStream source) {
    DataInputStream in = new DataInputStream(source);
    try {
      Start start = start(in);
      FakeInode root = read(in, new HashMap<>());
      if (in.readInt() != END) {
        throw StapesException.invalid("stream", "damaged");
      }
      return new Content(start.identity(), start.base(), root);
    } catch (IOException e) {
      throw new StapesException(
          StapesException.Kind.INVALID, "stream", "ends early: " + e.getMessage(), e);
    }
  }

  private static void write(DataOutputStream out, UUID id) throws IOException {
    out.writeLong(id.getMostSignificantBits());
    out.writeLong(id.getLeastSignificantBits());
  }

  private static UUID readUuid(DataInputStream in) throws IOException {
    return new UUID(in.readLong(), in.readLong());
  }

  private static void write(DataOutputStream out, FakeInode inode, Map<Long, Boolean> known)
      throws IOException {
    out.writeLong(inode.number);
    if (known.put(inode.number, true) != null) {
      return;
    }
    out.writeUTF(inode.type.name());
    out.writeInt(inode.mode);
    out.writeLong(inode.uid);
    out.writeLong(inode.gid);
    out.writeInt(inode.major);
    out.writeInt(inode.minor);
    out.writeLong(inode.links);
    out.writeUTF(inode.target);
    out.writeLong(inode.modifiedAt.getEpochSecond());
    out.writeInt(inode.modifiedAt.getNano());
    writeBytes(out, inode.content());
    out.writeInt(inode.xattrs.size());
    for (Map.Entry<String, byte[]> attribute : inode.xattrs.entrySet()) {
      out.writeUTF(attribute.getKey());
      writeBytes(out, attribute.getValue());
    }
    out.writeInt(inode.children.size());
    for (Map.Entry<String, FakeInode> child : inode.children.entrySet()) {
      out.writeUTF(child.getKey());
      write(out, child.getValue(), known);
    }
  }

  private static FakeInode read(DataInputStream in, Map<Long, FakeInode> known) throws IOException {
    long number = in.readLong();
    FakeInode same = known.get(number);
    if (same != null) {
      return same;
    }
    FakeInode inode = new FakeInode(type(in.readUTF()), in.readInt());
    known.put(number, inode);
    inode.uid = in.readLong();
    inode.gid = in.readLong();
    inode.major = in.readInt();
    inode.minor = in.readInt();
    inode.links = in.readLong();
    inode.target = in.readUTF();
    inode.modifiedAt = Instant.ofEpochSecond(in.readLong(), in.readInt());
    byte[] content = readBytes(in);
    inode.write(0, content, 0, content.length);
    for (int left = in.readInt(); left > 0; left--) {
      inode.xattrs.put(in.readUTF(), readBytes(in));
    }
    for (int left = in.readInt(); left > 0; left--) {
      inode.children.put(in.readUTF(), read(in, known));
    }
    return inode;
  }

  private static Tree.Type type(String name) {
    for (Tree.Type type : Tree.Type.values()) {
      if (type.name().equals(name)) {
        return type;
      }
    }
    throw StapesException.invalid("stream", "damaged: type '" + name + "'");
  }

  private static void writeBytes(DataOutputStream out, byte[] bytes) throws IOException {
    out.writeInt(bytes.length);
    out.write(bytes);
  }

  private static byte[] readBytes(DataInputStream in) throws IOException {
    int length = in.readInt();
    if (length < 0) {
      throw StapesException.invalid("stream", "damaged: length " + length);
    }
    // Read in pieces: the length is not to be trusted with that much memory.
    byte[] bytes = in.readNBytes(length);
    if (bytes.length < length) {
      throw StapesException.invalid("stream", "ends early");
    }
    return bytes;
  }
}
