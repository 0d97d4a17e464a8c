package dev.stapes.storage.zfs;

import dev.stapes.model.StapesException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Optional;

/**
 * What the first record of a send stream says; {@code struct drr_begin} in {@code
 * include/sys/zfs_ioctl.h} of OpenZFS, the same since 0.6. ZFS checks the rest of a stream itself.
 *
 * @param guid of the snapshot that it has, unsigned
 * @param base the guid of the snapshot that it is the difference to, unsigned; 0 for a whole stream
 * @param isBlocks whether it is of a block device; else of a file system
 * @param isRest whether it goes on with another one that broke
 */
record StreamHeader(long guid, long base, boolean isBlocks, boolean isRest) {
  /** {@code sizeof(dmu_replay_record_t)}. */
  static final int BYTES = 312;

  private static final long MAGIC = 0x2F5bacbacL;
  private static final int MAGIC_AT = 8;
  private static final int VERSION_AT = 16;
  private static final int TYPE_AT = 32;
  private static final int GUID_AT = 40;
  private static final int BASE_AT = 48;

  /** Where the record says how many bytes of a packed list come behind it. */
  private static final int MORE_AT = 4;

  /** DMU_SUBSTREAM, of the lowest two bits: one snapshot, without properties for others to set. */
  private static final int ONE_SNAPSHOT = 1;

  private static final int HEADER_TYPES = 3;

  /** DMU_OST_ZFS. */
  private static final int FILE_SYSTEM = 2;

  /** DMU_OST_ZVOL. */
  private static final int BLOCK_DEVICE = 3;

  /** Of streams that need a key, or have not all. */
  private static final long RAW = 1L << (24 + 2);

  private static final long REDACTED = 1L << (21 + 2);

  /** Of a stream that needs the state that an earlier receiver left. */
  private static final long RESUMING = 1L << (20 + 2);

  /**
   * Reads it.
   *
   * @param start of the stream, as far as there is any
   * @throws StapesException INVALID where it is none, or a stream that no volume can be made of
   */
  static StreamHeader parse(byte[] start, String subject) {
    if (start.length < BYTES) {
      throw unusable(subject, "it ends after " + start.length + " bytes");
    }
    ByteBuffer record = ByteBuffer.wrap(start).order(ByteOrder.LITTLE_ENDIAN);
    if (record.getLong(MAGIC_AT) != MAGIC) {
      record.order(ByteOrder.BIG_ENDIAN);
    }
    // DRR_BEGIN is the first kind of record.
    if (record.getInt(0) != 0 || record.getLong(MAGIC_AT) != MAGIC) {
      throw unusable(subject, "it is no stream of zfs send");
    }
    long version = record.getLong(VERSION_AT);
    if ((version & HEADER_TYPES) != ONE_SNAPSHOT) {
      throw unusable(subject, "it has more than one snapshot, or properties");
    }
    int type = record.getInt(TYPE_AT);
    if (type != FILE_SYSTEM && type != BLOCK_DEVICE) {
      throw unusable(subject, "it has neither a file system nor a block device");
    }
    if ((version & (RAW | REDACTED)) != 0) {
      throw unusable(subject, "it is encrypted or redacted");
    }
    return new StreamHeader(
        record.getLong(GUID_AT),
        record.getLong(BASE_AT),
        type == BLOCK_DEVICE,
        (version & RESUMING) != 0);
  }

  /** Fails for one that goes on with another one. */
  void requireBeginning(String subject) {
    if (isRest) {
      throw unusable(subject, "it is the rest of another one");
    }
  }

  /**
   * Where a rest goes on; empty where it does not say so.
   *
   * @param start of the stream, with more than the first record
   */
  static Optional<ResumeToken.Position> position(byte[] start) {
    ByteBuffer record = ByteBuffer.wrap(start).order(ByteOrder.LITTLE_ENDIAN);
    if (record.getLong(MAGIC_AT) != MAGIC) {
      record.order(ByteOrder.BIG_ENDIAN);
    }
    int more = record.getInt(MORE_AT);
    if (more <= 0 || more > start.length - BYTES) {
      return Optional.empty();
    }
    return PackedPairs.parse(Arrays.copyOfRange(start, BYTES, BYTES + more))
        .flatMap(
            pairs -> ResumeToken.Position.of(pairs.numbers(), "resume_object", "resume_offset"));
  }

  /** Whether it is the difference to another snapshot. */
  boolean isDifference() {
    return base != 0;
  }

  private static StapesException unusable(String subject, String problem) {
    return StapesException.invalid(subject, "cannot be received: " + problem);
  }
}
