package dev.stapes.lxc.ffi;

/** The commands of {@code migrate}, in the order of {@code lxccontainer.h}. */
public enum MigrateCommand {
  /** Copies memory while the container runs. */
  PRE_DUMP,
  /** Writes the final image. */
  DUMP,
  /** Starts from an image. */
  RESTORE,
  /** Asks what CRIU can do here. */
  FEATURE_CHECK
}
