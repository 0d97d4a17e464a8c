package dev.stapes.linux.ffi;

import java.util.Locale;

/** The processor architecture, as far as it changes numbers of the kernel's interface. */
public enum Arch {
  X86_64,
  AARCH64;

  private static final Arch CURRENT = of(System.getProperty("os.arch", ""));

  /**
   * The architecture this JVM runs on.
   *
   * @throws UnsupportedOperationException if its numbers are not known here
   */
  public static Arch current() {
    return CURRENT;
  }

  static Arch of(String osArch) {
    switch (osArch.toLowerCase(Locale.ROOT)) {
      case "amd64":
      case "x86_64":
        return X86_64;
      case "aarch64":
      case "arm64":
        return AARCH64;
      default:
        throw new UnsupportedOperationException(
            "architecture \"" + osArch + "\": only amd64 and aarch64 are supported");
    }
  }

  /** The first number on x86_64, the second on aarch64. */
  int pick(int x86, int arm) {
    return this == X86_64 ? x86 : arm;
  }
}
