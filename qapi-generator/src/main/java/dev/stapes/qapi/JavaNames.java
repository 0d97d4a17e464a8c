package dev.stapes.qapi;

import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.lang.model.SourceVersion;

/** Names of the protocol as names of Java. */
public final class JavaNames {
  private static final Pattern SEPARATOR = Pattern.compile("[^A-Za-z0-9]+");

  /** Methods of each record, of a command and of an event, that a member may not take. */
  private static final Set<String> TAKEN =
      Set.of(
          "clone",
          "finalize",
          "getClass",
          "hashCode",
          "notify",
          "notifyAll",
          "toString",
          "wait",
          "toJson",
          "fromJson",
          "of",
          "builder",
          "toBuilder",
          "unknownMembers",
          "commandName",
          "arguments",
          "result",
          "eventName",
          "at",
          "raw",
          "from",
          "unknownMember",
          "build");

  private JavaNames() {}

  /** A class: {@code query-status} is QueryStatus. */
  public static String type(String name) {
    String joined =
        words(name)
            .map(word -> word.substring(0, 1).toUpperCase(Locale.ROOT) + word.substring(1))
            .collect(Collectors.joining());
    return Character.isDigit(joined.charAt(0)) ? "_" + joined : joined;
  }

  /** The class of an event: {@code BLOCK_JOB_READY} is BlockJobReadyEvent. */
  public static String event(String name) {
    return type(name.toLowerCase(Locale.ROOT)) + "Event";
  }

  /** A record's component: {@code node-name} is nodeName, {@code default} is default_. */
  public static String member(String name) {
    String first = words(name).findFirst().orElse(name);
    boolean acronym = first.equals(first.toUpperCase(Locale.ROOT));
    String start =
        acronym
            ? first.toLowerCase(Locale.ROOT)
            : first.substring(0, 1).toLowerCase(Locale.ROOT) + first.substring(1);
    String rest = words(name).skip(1).map(JavaNames::type).collect(Collectors.joining());
    String joined = start + rest.replace("_", "");
    String member = Character.isDigit(joined.charAt(0)) ? "_" + joined : joined;
    return SourceVersion.isKeyword(member) || TAKEN.contains(member) ? member + "_" : member;
  }

  /** A value of an enum: {@code host-cdrom} is HOST_CDROM. */
  public static String constant(String value) {
    String joined = words(value).collect(Collectors.joining("_")).toUpperCase(Locale.ROOT);
    return Character.isDigit(joined.charAt(0)) ? "_" + joined : joined;
  }

  private static Stream<String> words(String name) {
    return SEPARATOR.splitAsStream(name).filter(word -> !word.isEmpty());
  }
}
