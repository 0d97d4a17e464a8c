package dev.stapes.lxc.ffi;

import com.sun.jna.Structure.FieldOrder;
import org.jspecify.annotations.Nullable;

/** {@code struct migrate_opts}: how a container is checkpointed with CRIU. */
@FieldOrder({
  "directory",
  "verbose",
  "stop",
  "predump_dir",
  "pageserver_address",
  "pageserver_port",
  "preserves_inodes",
  "action_script",
  "disable_skip_in_flight",
  "ghost_limit",
  "features_to_check"
})
public final class MigrateOptions extends CStruct {
  /** Where the images are. */
  public @Nullable String directory;

  /** {@code bool}: tell more. */
  public byte verbose;

  /** {@code bool}: end the container after the dump. */
  public byte stop;

  /** Earlier dump, relative to {@link #directory}. */
  public @Nullable String predump_dir;

  /** Where a page server listens. */
  public @Nullable String pageserver_address;

  /** Its port. */
  public @Nullable String pageserver_port;

  /** {@code bool}: the root disk keeps its inode numbers. */
  public byte preserves_inodes;

  /** A program that CRIU calls. */
  public @Nullable String action_script;

  /** {@code bool}: fail on half-open connections. */
  public byte disable_skip_in_flight;

  /** Largest deleted file to keep, in bytes; 0: CRIU's default. */
  public long ghost_limit;

  /** For {@code MIGRATE_FEATURE_CHECK}. */
  public long features_to_check;

  /** With everything off. */
  public MigrateOptions() {
    super();
  }
}
