package dev.stapes.qmp;

/**
 * A version of QEMU.
 *
 * @param packaged what the distributor calls it; empty where it does not
 */
public record QmpVersion(int major, int minor, int micro, String packaged)
    implements Comparable<QmpVersion> {
  /** Whether it is this one or a later one. */
  public boolean isAtLeast(int wantedMajor, int wantedMinor) {
    return major > wantedMajor || (major == wantedMajor && minor >= wantedMinor);
  }

  /** By the numbers alone. */
  @Override
  public int compareTo(QmpVersion other) {
    int byMajor = Integer.compare(major, other.major);
    int byMinor = Integer.compare(minor, other.minor);
    return byMajor != 0 ? byMajor : byMinor != 0 ? byMinor : Integer.compare(micro, other.micro);
  }

  @Override
  public String toString() {
    return major + "." + minor + "." + micro;
  }
}
