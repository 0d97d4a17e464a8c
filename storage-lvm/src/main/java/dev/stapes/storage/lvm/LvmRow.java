package dev.stapes.storage.lvm;

import java.math.BigDecimal;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;

/**
 * One row of a report.
 *
 * @param values as text, by the field's name; copied
 */
record LvmRow(Map<String, String> values) {
  /** Copies. */
  LvmRow {
    values = Collections.unmodifiableMap(new LinkedHashMap<>(values));
  }

  /** A field; empty text where LVM has no value for it. */
  String text(String field) throws LvmReport.Malformed {
    String value = values.get(field);
    if (value == null) {
      throw new LvmReport.Malformed("no field \"" + field + "\" among " + values.keySet());
    }
    return value;
  }

  /** A whole number, such as a size with {@code --units b --nosuffix}. */
  long number(String field) throws LvmReport.Malformed {
    String text = text(field);
    try {
      // Some versions write a size as 4194304.00.
      return new BigDecimal(text).longValueExact();
    } catch (ArithmeticException | NumberFormatException e) {
      LvmReport.Malformed malformed =
          new LvmReport.Malformed(field + " is no whole number: \"" + text + "\"");
      malformed.initCause(e);
      throw malformed;
    }
  }

  /** A percentage; empty where LVM does not know it, as of what is not active. */
  OptionalDouble percent(String field) throws LvmReport.Malformed {
    String text = text(field);
    if (text.isEmpty()) {
      return OptionalDouble.empty();
    }
    try {
      return OptionalDouble.of(Double.parseDouble(text));
    } catch (NumberFormatException e) {
      LvmReport.Malformed malformed =
          new LvmReport.Malformed(field + " is no percentage: \"" + text + "\"");
      malformed.initCause(e);
      throw malformed;
    }
  }

  /** A list, such as tags. */
  List<String> list(String field) throws LvmReport.Malformed {
    String text = text(field);
    return text.isEmpty() ? List.of() : Arrays.asList(text.split(",", -1));
  }
}
