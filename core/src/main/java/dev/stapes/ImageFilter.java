package dev.stapes;

import dev.stapes.internal.image.Architectures;
import dev.stapes.model.ImageInfo;
import dev.stapes.model.ImageMetadata;
import dev.stapes.model.InstanceType;
import dev.stapes.model.StapesException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Which images are meant: those that all of it is true of. Values are compared without regard to
 * case, and a {@code *} in one stands for any text. Immutable.
 */
public final class ImageFilter implements Predicate<ImageInfo> {
  private static final ImageFilter ALL = new ImageFilter(List.of());
  private static final String PROPERTIES = "properties.";

  private final List<Term> terms;

  private ImageFilter(List<Term> terms) {
    this.terms = List.copyOf(terms);
  }

  /** One condition, and how it is written. */
  private record Term(String text, Predicate<ImageInfo> condition) {}

  /** All images. */
  public static ImageFilter all() {
    return ALL;
  }

  /**
   * Reads conditions with white space between them, as {@code incus image list} takes them, such as
   * {@code os=debian release=13 architecture=amd64}. A value with white space, or with a quote in
   * it, stands in double quotes, in which a backslash goes before a quote or a backslash: {@code
   * description="My own*"}.
   *
   * <p>The keys {@code architecture}, {@code type} ({@code container} or {@code virtual-machine}),
   * {@code alias}, {@code fingerprint} and {@code cached} ({@code true} or {@code false}) are what
   * the image is; any other key is a property, and {@code properties.type} the property that is
   * called like one of these. A word without {@code =} is part of an alias, or the start of the
   * fingerprint. Nothing at all means all images.
   *
   * @throws StapesException INVALID, with what is wrong
   */
  public static ImageFilter parse(String text) {
    ImageFilter filter = ALL;
    for (String word : words(text)) {
      int equals = word.indexOf('=');
      if (equals == 0) {
        throw StapesException.invalid("image filter", "has no key in \"" + word + "\"");
      }
      filter =
          equals < 0
              ? filter.named(word)
              : filter.with(word.substring(0, equals), word.substring(equals + 1));
    }
    return filter;
  }

  private ImageFilter with(String key, String value) {
    return switch (key) {
      case "architecture" -> architecture(value);
      case "type" -> type(type(value));
      case "alias" -> alias(value);
      case "fingerprint" -> fingerprint(value);
      case "cached" -> cached(truth(value));
      default ->
          property(key.startsWith(PROPERTIES) ? key.substring(PROPERTIES.length()) : key, value);
    };
  }

  private static boolean truth(String value) {
    if (!value.equals("true") && !value.equals("false")) {
      throw StapesException.invalid(
          "image filter", "cached must be true or false: \"" + value + "\"");
    }
    return value.equals("true");
  }

  private static InstanceType type(String value) {
    for (InstanceType type : InstanceType.values()) {
      if (type.toString().equalsIgnoreCase(value)) {
        return type;
      }
    }
    throw StapesException.invalid(
        "image filter", "knows no type \"" + value + "\", only " + List.of(InstanceType.values()));
  }

  /**
   * The same, with a property of this value; an image without it is not meant.
   *
   * @param key 1 to 255 characters, no white space, no control characters, no {@code =}
   * @throws StapesException INVALID for another key
   */
  public ImageFilter property(String key, String value) {
    ImageMetadata.requireProperty(key, "");
    Pattern pattern = pattern(value);
    String name = PROPERTIES + key;
    return and(
        quoted(key).equals(key) ? name + "=" + quoted(value) : quoted(name + "=" + value),
        image -> {
          String its = image.metadata().properties().get(key);
          return its != null && pattern.matcher(its).matches();
        });
  }

  /** The same, of this operating system: the property {@code os}. */
  public ImageFilter os(String name) {
    return property("os", name);
  }

  /** The same, of this release: the property {@code release}. */
  public ImageFilter release(String name) {
    return property("release", name);
  }

  /** The same, for this architecture by any of its names, such as {@code amd64}. */
  public ImageFilter architecture(String name) {
    Pattern pattern = pattern(Architectures.kernelName(name.toLowerCase(Locale.ROOT)));
    return and(
        "architecture=" + quoted(name),
        image -> pattern.matcher(image.metadata().architecture()).matches());
  }

  /** The same, of which this can be made. */
  public ImageFilter type(InstanceType type) {
    return and("type=" + type, image -> image.metadata().type() == type);
  }

  /** The same, with an alias such as this. */
  public ImageFilter alias(String name) {
    Pattern pattern = pattern(name);
    return and("alias=" + quoted(name), image -> any(image.aliases(), pattern));
  }

  /** The same, with a fingerprint that begins so. */
  public ImageFilter fingerprint(String start) {
    Pattern pattern = pattern(start + "*");
    return and(
        "fingerprint=" + quoted(start), image -> pattern.matcher(image.fingerprint()).matches());
  }

  /** The same, that may go when they are not used, or that stay. */
  public ImageFilter cached(boolean mayGo) {
    return and("cached=" + mayGo, image -> image.cached() == mayGo);
  }

  private ImageFilter named(String word) {
    Pattern part = pattern("*" + word + "*");
    Pattern start = pattern(word + "*");
    return and(
        quoted(word),
        image -> any(image.aliases(), part) || start.matcher(image.fingerprint()).matches());
  }

  private ImageFilter and(String text, Predicate<ImageInfo> condition) {
    List<Term> more = new ArrayList<>(terms);
    more.add(new Term(text, condition));
    return new ImageFilter(more);
  }

  private static boolean any(Collection<String> names, Pattern pattern) {
    return names.stream().anyMatch(name -> pattern.matcher(name).matches());
  }

  private static Pattern pattern(String value) {
    StringBuilder regex = new StringBuilder();
    for (String part : value.split("\\*", -1)) {
      regex.append(regex.isEmpty() ? "(?:" : ".*").append(Pattern.quote(part));
    }
    return Pattern.compile(
        regex.append(')').toString(),
        Pattern.CASE_INSENSITIVE | Pattern.UNICODE_CASE | Pattern.DOTALL);
  }

  private static String quoted(String value) {
    return value.isEmpty() || value.chars().anyMatch(c -> Character.isWhitespace(c) || c == '"')
        ? '"' + value.replace("\\", "\\\\").replace("\"", "\\\"") + '"'
        : value;
  }

  private static List<String> words(String text) {
    List<String> words = new ArrayList<>();
    StringBuilder word = new StringBuilder();
    boolean inside = false;
    boolean quotes = false;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (quotes && c == '\\' && i + 1 < text.length()) {
        word.append(text.charAt(++i));
      } else if (c == '"') {
        quotes = !quotes;
        inside = true;
      } else if (!quotes && Character.isWhitespace(c)) {
        if (inside) {
          words.add(word.toString());
        }
        word.setLength(0);
        inside = false;
      } else {
        word.append(c);
        inside = true;
      }
    }
    if (quotes) {
      throw StapesException.invalid("image filter", "has a quote that does not end: " + text);
    }
    if (inside) {
      words.add(word.toString());
    }
    return words;
  }

  @Override
  public boolean test(ImageInfo image) {
    return terms.stream().allMatch(term -> term.condition().test(image));
  }

  /** What {@link #parse} reads. */
  @Override
  public String toString() {
    return terms.stream().map(Term::text).collect(Collectors.joining(" "));
  }
}
