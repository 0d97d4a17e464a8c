package dev.stapes.linux.btrfs;

import dev.stapes.linux.ffi.CString;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.EnumMap;
import java.util.Map;
import java.util.UUID;

/** One command of a send stream with its attributes. */
final class StreamCommand {
  /** What is to be done; the numbers are the places from 1. */
  enum Type {
    SUBVOL,
    SNAPSHOT,
    MKFILE,
    MKDIR,
    MKNOD,
    MKFIFO,
    MKSOCK,
    SYMLINK,
    RENAME,
    LINK,
    UNLINK,
    RMDIR,
    SET_XATTR,
    REMOVE_XATTR,
    WRITE,
    CLONE,
    TRUNCATE,
    CHMOD,
    CHOWN,
    UTIMES,
    END,
    UPDATE_EXTENT
  }

  /** With what; the numbers are the places from 1. */
  enum Attribute {
    UUID,
    CTRANSID,
    INO,
    SIZE,
    MODE,
    UID,
    GID,
    RDEV,
    CTIME,
    MTIME,
    ATIME,
    OTIME,
    XATTR_NAME,
    XATTR_DATA,
    PATH,
    PATH_TO,
    PATH_LINK,
    FILE_OFFSET,
    DATA,
    CLONE_UUID,
    CLONE_CTRANSID,
    CLONE_PATH,
    CLONE_OFFSET,
    CLONE_LEN
  }

  private static final int ATTRIBUTE_HEADER = 4;

  private final Type type;
  private final Map<Attribute, ByteBuffer> attributes;

  private StreamCommand(Type type, Map<Attribute, ByteBuffer> attributes) {
    this.type = type;
    this.attributes = attributes;
  }

  static StreamCommand of(int number, ByteBuffer content) {
    if (number < 1 || number > Type.values().length) {
      throw new BadStreamException("command " + number + " is not known");
    }
    Map<Attribute, ByteBuffer> attributes = new EnumMap<>(Attribute.class);
    while (content.hasRemaining()) {
      if (content.remaining() < ATTRIBUTE_HEADER) {
        throw new BadStreamException("a command ends in an attribute");
      }
      int attribute = content.getShort() & 0xFFFF;
      int length = content.getShort() & 0xFFFF;
      if (attribute < 1 || attribute > Attribute.values().length) {
        throw new BadStreamException("attribute " + attribute + " is not known");
      }
      if (length > content.remaining()) {
        throw new BadStreamException("a command ends in an attribute");
      }
      ByteBuffer value = content.slice(content.position(), length).order(content.order());
      attributes.put(Attribute.values()[attribute - 1], value);
      content.position(content.position() + length);
    }
    return new StreamCommand(Type.values()[number - 1], attributes);
  }

  Type type() {
    return type;
  }

  private ByteBuffer get(Attribute attribute, int least) {
    ByteBuffer value = attributes.get(attribute);
    if (value == null || value.remaining() < least) {
      throw new BadStreamException(type + " without " + attribute);
    }
    return value.duplicate().order(value.order());
  }

  long number(Attribute attribute) {
    return get(attribute, Long.BYTES).getLong();
  }

  /** A name or path, or the text of a link. */
  String text(Attribute attribute) {
    byte[] bytes = bytes(attribute);
    for (byte b : bytes) {
      if (b == 0) {
        throw new BadStreamException(type + " with a NUL in " + attribute);
      }
    }
    return CString.decode(bytes, 0, bytes.length);
  }

  byte[] bytes(Attribute attribute) {
    ByteBuffer value = get(attribute, 0);
    byte[] bytes = new byte[value.remaining()];
    value.get(bytes);
    return bytes;
  }

  /** As it is in the stream, without copying. */
  ByteBuffer data() {
    return get(Attribute.DATA, 0);
  }

  UUID uuid(Attribute attribute) {
    return Uuids.get(get(attribute, 2 * Long.BYTES), 0);
  }

  Instant time(Attribute attribute) {
    ByteBuffer value = get(attribute, Long.BYTES + Integer.BYTES);
    return Instant.ofEpochSecond(value.getLong(), value.getInt() & 0xFFFFFFFFL);
  }
}
