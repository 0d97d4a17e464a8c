package dev.stapes.storage.lvm;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * What the complaints of LVM mean. It has one exit code for nearly all that goes wrong, so there is
 * nothing but its words, which LC_ALL=C keeps from being translated.
 */
final class LvmErrors {
  /** Of a logical volume in a shared group. */
  private static final String LOCKED = "locked by other host";

  private static final List<Map.Entry<String, Kind>> WORDS =
      List.of(
          Map.entry(LOCKED, Kind.BUSY),
          Map.entry("held by other host", Kind.BUSY),
          Map.entry("not stopped on other hosts", Kind.BUSY),
          Map.entry("lvmlockd process is not running", Kind.UNAVAILABLE),
          Map.entry("requires lvmlockd", Kind.UNAVAILABLE),
          Map.entry("due to failed lock", Kind.UNAVAILABLE),
          Map.entry("lock start in progress", Kind.UNAVAILABLE),
          Map.entry("lockspace is inactive", Kind.UNAVAILABLE),
          Map.entry("for sanlock leases", Kind.UNAVAILABLE),
          Map.entry("global lock failed", Kind.UNAVAILABLE),
          Map.entry("failed to detect a running lock manager", Kind.UNAVAILABLE),
          Map.entry("insufficient free space", Kind.EXHAUSTED),
          Map.entry("insufficient suitable", Kind.EXHAUSTED),
          Map.entry("not enough free", Kind.EXHAUSTED),
          Map.entry("no free space", Kind.EXHAUSTED),
          Map.entry("reached threshold", Kind.EXHAUSTED),
          Map.entry("out of data space", Kind.EXHAUSTED),
          Map.entry("no space left", Kind.EXHAUSTED),
          Map.entry("metadata too large", Kind.EXHAUSTED),
          Map.entry("snapshot origin volumes can be", Kind.BUSY),
          Map.entry("target(s) not detected", Kind.UNAVAILABLE),
          Map.entry("smaller than minimum", Kind.INVALID),
          Map.entry("too small", Kind.INVALID),
          Map.entry("must be larger than", Kind.INVALID),
          Map.entry("already exists", Kind.CONFLICT),
          Map.entry("already in volume group", Kind.CONFLICT),
          Map.entry("in use", Kind.BUSY),
          Map.entry("is used by another device", Kind.BUSY),
          Map.entry("mounted filesystem", Kind.BUSY),
          Map.entry("is mounted", Kind.BUSY),
          Map.entry("can't get lock", Kind.BUSY),
          Map.entry("failed to find logical volume", Kind.NOT_FOUND),
          Map.entry("failed to find physical volume", Kind.NOT_FOUND),
          Map.entry("not found", Kind.NOT_FOUND));

  /** What LVM says beside the reason; {@code Devices file PVID x not found} comes each time. */
  private static final Pattern ASIDE =
      Pattern.compile("(?m)(warning:|devices file |skipping global lock|reading vg ).*$");

  private LvmErrors() {}

  /** The kind of what a program of LVM or of a file system wrote when it failed. */
  static Kind kind(String complaint) {
    String text = ASIDE.matcher(complaint.toLowerCase(Locale.ROOT)).replaceAll("");
    return WORDS.stream()
        .filter(word -> text.contains(word.getKey()))
        .map(Map.Entry::getValue)
        .findFirst()
        .orElse(Kind.INTERNAL);
  }

  /** The error of a program, as one of a pool; others than the program's own keep their kind. */
  static StapesException of(StapesException e, String subject, String wanted) {
    String message = String.valueOf(e.getMessage());
    Kind kind = e.kind() == Kind.INTERNAL ? kind(message) : e.kind();
    String reason =
        message.toLowerCase(Locale.ROOT).contains(LOCKED)
            ? "another machine has it active, and uses it: " + message
            : message;
    return new StapesException(kind, subject, wanted + ": " + reason, e);
  }
}
