package dev.stapes.qemu.driver;

import dev.stapes.model.StapesException.Kind;
import java.util.LinkedHashMap;
import java.util.Map;

/** What the programs of a guest say of an error in the locale C, as a kind. */
final class GuestErrors {
  private static final Map<String, Kind> TEXTS = new LinkedHashMap<>();

  static {
    TEXTS.put("No space left", Kind.EXHAUSTED);
    TEXTS.put("uota exceeded", Kind.EXHAUSTED);
    TEXTS.put("File too large", Kind.EXHAUSTED);
    TEXTS.put("Too many open files", Kind.EXHAUSTED);
    TEXTS.put("annot allocate memory", Kind.EXHAUSTED);
    TEXTS.put("Read-only file system", Kind.DENIED);
    TEXTS.put("Operation not permitted", Kind.DENIED);
    TEXTS.put("Permission denied", Kind.DENIED);
    TEXTS.put("busy", Kind.BUSY);
    TEXTS.put("File exists", Kind.CONFLICT);
    TEXTS.put("Directory not empty", Kind.CONFLICT);
    TEXTS.put("ot a directory", Kind.INVALID);
    TEXTS.put("s a directory", Kind.INVALID);
    TEXTS.put("name too long", Kind.INVALID);
    TEXTS.put("Invalid argument", Kind.INVALID);
    TEXTS.put("Too many links", Kind.INVALID);
    TEXTS.put("not supported", Kind.UNSUPPORTED);
    TEXTS.put("No such file", Kind.NOT_FOUND);
  }

  private GuestErrors() {}

  /** INTERNAL where no other kind is known. */
  static Kind kind(String text) {
    return TEXTS.entrySet().stream()
        .filter(each -> text.contains(each.getKey()))
        .map(Map.Entry::getValue)
        .findFirst()
        .orElse(Kind.INTERNAL);
  }
}
