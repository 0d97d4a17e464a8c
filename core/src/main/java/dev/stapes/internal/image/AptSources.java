package dev.stapes.internal.image;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** The package archives that a Debian machine is configured for, sources.list(5). */
final class AptSources {
  private static final Set<String> MOVING =
      Set.of("stable", "oldstable", "testing", "unstable", "sid");

  private final List<Source> sources;

  private AptSources(List<Source> sources) {
    this.sources = sources;
  }

  /**
   * An archive of binary packages.
   *
   * @param uri where, as written
   * @param suites distributions there
   * @param components parts of them
   * @param keyring file with the keys that sign it; empty: apt's own
   */
  record Source(
      String uri, List<String> suites, List<String> components, Optional<String> keyring) {}

  /**
   * A mirror that can be used.
   *
   * @param uri where; http, https or file
   * @param keyring file with the keys that sign it; empty: the default
   */
  record Mirror(String uri, Optional<String> keyring) {}

  /**
   * Reads the configuration of a machine.
   *
   * @param local finds a file of the machine by its path
   */
  static AptSources read(Function<Path, Path> local) {
    List<Source> sources = new ArrayList<>();
    Path single = local.apply(Path.of("/etc/apt/sources.list"));
    try {
      if (Files.isRegularFile(single)) {
        sources.addAll(oneLine(Files.readString(single)));
      }
      Path parts = local.apply(Path.of("/etc/apt/sources.list.d"));
      if (Files.isDirectory(parts)) {
        try (Stream<Path> files = Files.list(parts)) {
          for (Path file : files.sorted().toList()) {
            String name = file.getFileName().toString();
            if (name.endsWith(".list")) {
              sources.addAll(oneLine(Files.readString(file)));
            } else if (name.endsWith(".sources")) {
              sources.addAll(deb822(Files.readString(file)));
            }
          }
        }
      }
    } catch (IOException e) {
      throw DiskError.of("debootstrap image", "cannot read the apt sources", e);
    }
    return new AptSources(sources);
  }

  /** Of given sources, for tests. */
  static AptSources of(List<Source> sources) {
    return new AptSources(List.copyOf(sources));
  }

  /**
   * The mirror for a suite: one that is configured for it, else the one of the machine's own suite,
   * for a mirror has all suites of a distribution.
   *
   * @param own name of the suite that the machine itself is of; may be empty
   * @param local finds a file of the machine by its path
   */
  Optional<Mirror> mirror(String suite, String own, Function<Path, Path> local) {
    return usable(source -> source.suites().contains(suite), local)
        .or(() -> usable(source -> source.suites().contains(own), local))
        .or(() -> usable(source -> source.suites().stream().anyMatch(MOVING::contains), local));
  }

  private Optional<Mirror> usable(Predicate<Source> condition, Function<Path, Path> local) {
    return sources.stream()
        .filter(condition.and(source -> source.components().contains("main")))
        .flatMap(source -> resolved(source, local).stream())
        .findFirst();
  }

  private static Optional<Mirror> resolved(Source source, Function<Path, Path> local) {
    String uri = source.uri();
    if (uri.startsWith("mirror+file:")) {
      uri = first(local.apply(Path.of(uri.substring("mirror+file:".length()))));
    }
    boolean known =
        uri.startsWith("http://") || uri.startsWith("https://") || uri.startsWith("file:");
    return known ? Optional.of(new Mirror(uri, source.keyring())) : Optional.empty();
  }

  /** The first mirror of a list of mirrors, apt-transport-mirror(1). */
  private static String first(Path list) {
    try (Stream<String> lines = Files.lines(list)) {
      return lines
          .map(line -> line.strip().split("\\s")[0])
          .filter(word -> !word.isEmpty() && !word.startsWith("#"))
          .findFirst()
          .orElse("");
    } catch (IOException e) {
      throw DiskError.of("debootstrap image", "cannot read the list of mirrors " + list, e);
    }
  }

  /** Lines such as {@code deb [signed-by=/x] <uri> <suite> main contrib}. */
  static List<Source> oneLine(String text) {
    List<Source> sources = new ArrayList<>();
    for (String line : text.lines().toList()) {
      String plain = line.replaceFirst("#.*", "").strip();
      if (!plain.startsWith("deb ") && !plain.startsWith("deb\t")) {
        continue;
      }
      plain = plain.substring(4).strip();
      Optional<String> keyring = Optional.empty();
      if (plain.startsWith("[")) {
        int end = plain.indexOf(']');
        if (end < 0) {
          continue;
        }
        keyring =
            Arrays.stream(plain.substring(1, end).strip().split("\\s+"))
                .filter(option -> option.startsWith("signed-by="))
                .map(option -> option.substring("signed-by=".length()))
                .filter(AptSources::isFile)
                .findFirst();
        plain = plain.substring(end + 1).strip();
      }
      String[] words = plain.split("\\s+");
      if (words.length >= 3) {
        sources.add(
            new Source(
                words[0], List.of(words[1]), List.of(words).subList(2, words.length), keyring));
      }
    }
    return sources;
  }

  /** Paragraphs with {@code Types:}, {@code URIs:}, {@code Suites:}, {@code Components:}. */
  static List<Source> deb822(String text) {
    List<Source> sources = new ArrayList<>();
    for (String paragraph : text.split("\\R(?:[ \\t]*\\R)+")) {
      Map<String, String> fields = fields(paragraph);
      if (!words(fields, "types").contains("deb")
          || fields.getOrDefault("enabled", "yes").strip().equalsIgnoreCase("no")) {
        continue;
      }
      Optional<String> keyring =
          Optional.of(fields.getOrDefault("signed-by", "").strip()).filter(AptSources::isFile);
      for (String uri : words(fields, "uris")) {
        sources.add(new Source(uri, words(fields, "suites"), words(fields, "components"), keyring));
      }
    }
    return sources;
  }

  private static Map<String, String> fields(String paragraph) {
    Map<String, String> fields = new LinkedHashMap<>();
    String last = "";
    for (String line : paragraph.lines().toList()) {
      if (line.startsWith("#")) {
        continue;
      }
      if (line.startsWith(" ") || line.startsWith("\t")) {
        fields.merge(last, line, (first, more) -> first + " " + more);
        continue;
      }
      int colon = line.indexOf(':');
      if (colon > 0) {
        last = line.substring(0, colon).strip().toLowerCase(Locale.ROOT);
        fields.put(last, line.substring(colon + 1));
      }
    }
    return fields;
  }

  private static List<String> words(Map<String, String> fields, String name) {
    String value = fields.getOrDefault(name, "").strip();
    return value.isEmpty() ? List.of() : List.of(value.split("\\s+"));
  }

  /** A value can also be fingerprints or the keys themselves. */
  private static boolean isFile(String keyring) {
    return keyring.startsWith("/") && keyring.indexOf(',') < 0 && keyring.indexOf(' ') < 0;
  }
}
