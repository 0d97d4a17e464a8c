package dev.stapes.qapi;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** A file of lines of a key, a space and a text; {@code #} begins a comment line. */
public final class Lines {
  private final Map<String, String> texts = new LinkedHashMap<>();
  private final Set<String> unused = new TreeSet<>();
  private final String subject;

  private Lines(String subject) {
    this.subject = subject;
  }

  /** Reads a file. */
  public static Lines read(Path file) throws IOException {
    return parse(String.valueOf(file.getFileName()), Files.readString(file));
  }

  static Lines parse(String subject, String content) {
    Lines lines = new Lines(subject);
    content
        .lines()
        .map(String::strip)
        .filter(line -> !line.isEmpty() && !line.startsWith("#"))
        .forEach(lines::add);
    return lines;
  }

  private void add(String line) {
    int space = line.indexOf(' ');
    if (space < 0) {
      throw new SchemaException(subject + ": no space in the line: " + line);
    }
    String key = line.substring(0, space);
    if (texts.put(key, line.substring(space).strip()) != null) {
      throw new SchemaException(subject + ": two lines for " + key);
    }
    unused.add(key);
  }

  /** The text of a key. */
  public Optional<String> get(String key) {
    unused.remove(key);
    return Optional.ofNullable(texts.get(key));
  }

  /** All of it. */
  public Map<String, String> all() {
    return Collections.unmodifiableMap(texts);
  }

  /** Lines that nothing asked for are of something that has gone, or are misspelt. */
  void refuseUnused() {
    if (!unused.isEmpty()) {
      throw new SchemaException(subject + ": lines for what is not in the schema: " + unused);
    }
  }
}
