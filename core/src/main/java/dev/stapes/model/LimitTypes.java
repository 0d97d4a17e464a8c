package dev.stapes.model;

import java.math.BigInteger;
import java.util.Set;
import java.util.function.Consumer;
import java.util.regex.Pattern;

/** The grammars of the limits' values, as Incus documents them. */
final class LimitTypes {
  private static final Pattern CPU_LIST =
      Pattern.compile("\\d{1,5}(-\\d{1,5})?(,\\d{1,5}(-\\d{1,5})?)*");
  private static final Pattern COUNT = Pattern.compile("\\d{1,5}");
  private static final Pattern PERCENT = Pattern.compile("([1-9]\\d{0,2})%");
  private static final Pattern QUOTA = Pattern.compile("([1-9]\\d{0,8})ms/([1-9]\\d{0,5})ms");
  private static final Pattern RLIMIT =
      Pattern.compile("(\\d{1,19}|unlimited)(:(\\d{1,19}|unlimited))?");

  static final ConfigType<String> CPU = text("string", LimitTypes::cpu);
  static final ConfigType<String> LIST =
      text(
          "string",
          text -> require(CPU_LIST.matcher(text).matches(), text, "a list such as 0-3,7"));
  static final ConfigType<String> ALLOWANCE =
      text(
          "string",
          text ->
              require(
                  percent(text) || QUOTA.matcher(text).matches(),
                  text,
                  "a percentage such as 50% or a time slice such as 25ms/100ms"));
  static final ConfigType<String> MEMORY = text("string", LimitTypes::memory);
  static final ConfigType<String> SWAP =
      text(
          "string",
          text -> {
            if (!Set.of("true", "false").contains(text)) {
              Size.parse(text);
            }
          });
  static final ConfigType<String> RLIMIT_TYPE = text("string", LimitTypes::rlimit);

  private LimitTypes() {}

  private static void cpu(String text) {
    require(CPU_LIST.matcher(text).matches(), text, "a count such as 2, or a set such as 0-3,7");
    if (COUNT.matcher(text).matches()) {
      require(Integer.parseInt(text) > 0, text, "at least 1 CPU");
      return;
    }
    for (String part : text.split(",", -1)) {
      String[] ends = part.split("-", -1);
      require(
          ends.length == 1 || Integer.parseInt(ends[0]) <= Integer.parseInt(ends[1]),
          text,
          "ranges from low to high");
    }
  }

  private static void memory(String text) {
    if (text.endsWith("%")) {
      require(percent(text), text, "a percentage from 1% to 100%");
    } else {
      require(Size.parse(text).bytes() > 0, text, "more than 0 bytes");
    }
  }

  private static void rlimit(String text) {
    require(RLIMIT.matcher(text).matches(), text, "soft[:hard], each a number or unlimited");
    int colon = text.indexOf(':');
    require(
        colon < 0
            || amount(text.substring(0, colon)).compareTo(amount(text.substring(colon + 1))) <= 0,
        text,
        "a soft limit that is not above the hard one");
  }

  private static BigInteger amount(String text) {
    return text.equals("unlimited") ? BigInteger.ONE.shiftLeft(64) : new BigInteger(text);
  }

  private static boolean percent(String text) {
    return PERCENT.matcher(text).matches()
        && Integer.parseInt(text.substring(0, text.length() - 1)) <= 100;
  }

  private static void require(boolean holds, String text, String rule) {
    if (!holds) {
      throw StapesException.invalid("value", "must be " + rule + ": \"" + text + "\"");
    }
  }

  private static ConfigType<String> text(String name, Consumer<String> check) {
    return new ConfigType<>(
        name,
        text -> {
          check.accept(text);
          return text;
        });
  }
}
