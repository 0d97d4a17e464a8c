package dev.stapes.internal.image.oci;

import com.fasterxml.jackson.databind.JsonNode;
import dev.stapes.model.StapesException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * One of the images that files have.
 *
 * @param names the fullest first; copied
 * @param digest {@code sha256:} and digits; of its manifest, index or configuration
 * @param node what the files say of it
 */
record Choice(List<String> names, String digest, JsonNode node) {
  private static final Pattern NAME = Pattern.compile("[!-~]{1,512}");
  private static final int SHOWN = 20;

  Choice {
    names = List.copyOf(names);
  }

  /** With those of the names that can be said. */
  static Choice of(List<String> names, String digest, JsonNode node) {
    List<String> said = names.stream().filter(name -> NAME.matcher(name).matches()).toList();
    return new Choice(said, digest, node);
  }

  /**
   * Those that are meant, all where nothing is wanted; NOT_FOUND where there are none.
   *
   * @param wanted a name, the end of one, or a digest
   */
  static List<Choice> meant(List<Choice> all, Optional<String> wanted, String subject) {
    if (all.isEmpty()) {
      throw StapesException.invalid(subject, "has no images");
    }
    if (wanted.isEmpty()) {
      return all;
    }
    String text = wanted.get();
    List<Choice> meant = all.stream().filter(each -> each.isCalled(text)).toList();
    if (meant.isEmpty()) {
      meant = all.stream().filter(each -> each.ends(text)).toList();
    }
    if (meant.isEmpty()) {
      throw StapesException.notFound(subject + ", which has " + list(all));
    }
    return meant;
  }

  /**
   * What the image is called.
   *
   * @param path of the files, whose last name it is where the image has none
   */
  String reference(Path path) {
    Path last = path.toAbsolutePath().normalize().getFileName();
    return names.isEmpty() ? String.valueOf(last) : names.get(0);
  }

  private boolean isCalled(String text) {
    return digest.equals(text) || names.contains(text);
  }

  private boolean ends(String text) {
    return names.stream().anyMatch(name -> name.endsWith(":" + text) || name.endsWith("/" + text));
  }

  /** A text of the files, where it can be shown to somebody. */
  static String said(String text) {
    return NAME.matcher(text).matches() ? text : "(what cannot be shown)";
  }

  /** INVALID, naming the images. */
  static StapesException several(List<Choice> choices, String subject) {
    return StapesException.invalid(subject, "is one of several, say which: " + list(choices));
  }

  private static String list(List<Choice> choices) {
    Set<String> once = new HashSet<>();
    Set<String> twice = new HashSet<>();
    choices.forEach(each -> each.names.forEach(name -> (once.add(name) ? once : twice).add(name)));
    List<String> labels = new ArrayList<>();
    for (Choice each : choices) {
      boolean clear = !each.names.isEmpty() && !twice.contains(each.names.get(0));
      labels.add(clear ? each.names.get(0) : said(each.digest));
    }
    String more = labels.size() > SHOWN ? " and " + (labels.size() - SHOWN) + " more" : "";
    return labels.stream().limit(SHOWN).collect(Collectors.joining(", ")) + more;
  }
}
