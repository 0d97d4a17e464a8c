package dev.stapes.lxc.ffi;

import com.sun.jna.Structure.FieldOrder;
import org.jspecify.annotations.Nullable;

/** {@code struct lxc_log}. */
@FieldOrder({"name", "lxcpath", "file", "level", "prefix", "quiet"})
public final class LogSettings extends CStruct {
  /** All members are zero. */
  public LogSettings() {}

  /** Shown in each line. */
  public @Nullable String name;

  /** Where a log file without a path goes. */
  public @Nullable String lxcpath;

  /** The log file; null: none. */
  public @Nullable String file;

  /** {@code TRACE} to {@code FATAL}. */
  public @Nullable String level;

  /** Before each line. */
  public @Nullable String prefix;

  /** {@code bool}: nothing on stderr. */
  public byte quiet;
}
