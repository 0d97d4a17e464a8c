package dev.stapes.storage.zfs;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * What a complaint of {@code zfs} or {@code zpool} means; their exit code is 1 for nearly all. The
 * texts are those of libzfs in the locale C, which have been the same since OpenZFS 0.8.
 */
final class ZfsFailure {
  /** What others have called their things says nothing: a dataset may be called read-only. */
  private static final Pattern NAMES = Pattern.compile("'[^'\n]*'|\\S*[/@]\\S*");

  private static final Map<String, Kind> MEANINGS = new LinkedHashMap<>();

  static {
    // First: who destroys all below hears of each, and of others what that led to.
    MEANINGS.put("is busy", Kind.BUSY);
    MEANINGS.put("already exists", Kind.CONFLICT);
    MEANINGS.put("must specify -F to overwrite it", Kind.CONFLICT);
    MEANINGS.put("contains a filesystem", Kind.CONFLICT);
    MEANINGS.put("is part of active", Kind.CONFLICT);
    MEANINGS.put("is part of exported", Kind.CONFLICT);
    MEANINGS.put("is part of potentially active", Kind.CONFLICT);
    MEANINGS.put("is in use", Kind.CONFLICT);
    MEANINGS.put("part of an active", Kind.CONFLICT);
    MEANINGS.put("not applicable to datasets of this type", Kind.INVALID);
    MEANINGS.put("does not apply to datasets of this type", Kind.INVALID);
    MEANINGS.put("must be a multiple of", Kind.INVALID);
    MEANINGS.put("must be power of 2", Kind.INVALID);
    MEANINGS.put("does not exist", Kind.NOT_FOUND);
    MEANINGS.put("no pools available to import", Kind.NOT_FOUND);
    MEANINGS.put("no such pool", Kind.NOT_FOUND);
    MEANINGS.put("could not find any snapshots to destroy", Kind.NOT_FOUND);
    MEANINGS.put("not an earlier snapshot from the same fs", Kind.UNSUPPORTED);
    MEANINGS.put("no longer exists", Kind.NOT_FOUND);
    MEANINGS.put("is no longer the same snapshot", Kind.NOT_FOUND);
    MEANINGS.put("resume token is corrupt", Kind.INVALID);
    MEANINGS.put("incomplete stream", Kind.INVALID);
    MEANINGS.put("checksum mismatch", Kind.INVALID);
    MEANINGS.put("invalid stream", Kind.INVALID);
    MEANINGS.put("invalid backup stream", Kind.INVALID);
    MEANINGS.put("invalid record type", Kind.INVALID);
    MEANINGS.put("match incremental source", Kind.INVALID);
    MEANINGS.put("failed to read from stream", Kind.INVALID);
    MEANINGS.put("must be upgraded to receive", Kind.UNSUPPORTED);
    MEANINGS.put("not supported by this version of ZFS", Kind.UNSUPPORTED);
    MEANINGS.put("quota exceeded", Kind.EXHAUSTED);
    MEANINGS.put("has dependent clones", Kind.BUSY);
    MEANINGS.put("has children", Kind.BUSY);
    MEANINGS.put("volume size exceeds limit", Kind.EXHAUSTED);
    MEANINGS.put("out of space", Kind.EXHAUSTED);
    MEANINGS.put("No space left on device", Kind.EXHAUSTED);
    MEANINGS.put("size is less than current used", Kind.EXHAUSTED);
    MEANINGS.put("size is greater than available space", Kind.EXHAUSTED);
    MEANINGS.put("permission denied", Kind.DENIED);
    MEANINGS.put("read-only", Kind.DENIED);
    MEANINGS.put("name is too long", Kind.INVALID);
    MEANINGS.put("invalid character", Kind.INVALID);
    MEANINGS.put("is currently suspended", Kind.UNAVAILABLE);
    MEANINGS.put("I/O error", Kind.UNAVAILABLE);
    MEANINGS.put("one or more devices", Kind.UNAVAILABLE);
    MEANINGS.put("modules cannot be auto-loaded", Kind.UNAVAILABLE);
    MEANINGS.put("ZFS modules are not loaded", Kind.UNAVAILABLE);
  }

  private ZfsFailure() {}

  /** The kind of a complaint; INTERNAL for one that nobody expected. */
  static Kind kind(String complaint) {
    String said = NAMES.matcher(complaint).replaceAll("_");
    return MEANINGS.entrySet().stream()
        .filter(meaning -> said.contains(meaning.getKey()))
        .map(Map.Entry::getValue)
        .findFirst()
        .orElse(Kind.INTERNAL);
  }

  /** The same error with the kind that its complaint has. */
  static StapesException of(StapesException error, String subject) {
    if (error.kind() != Kind.INTERNAL) {
      return error;
    }
    String message = String.valueOf(error.getMessage());
    return new StapesException(kind(message), subject, message, error);
  }
}
