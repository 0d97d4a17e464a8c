package dev.stapes.linux.btrfs;

import dev.stapes.linux.Fd;
import dev.stapes.linux.Pipe;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;

/** Writes subvolumes as streams; the kernel makes them. Needs CAP_SYS_ADMIN. */
public final class SendStreams {
  private final Syscalls sys;

  public SendStreams(Syscalls sys) {
    this.sys = sys;
  }

  /**
   * Begins to write a read-only subvolume, without those that lie in it.
   *
   * @param subvolume closed with the answer, or where this fails
   * @param base the number of a read-only subvolume that the receiver has; 0: none
   * @throws LinuxException where there are no descriptors left
   */
  public SendStream begin(Fd subvolume, long base) {
    try {
      Pipe pipe = Pipe.open(sys);
      try {
        return SendStream.begin(sys, subvolume, base, pipe);
      } catch (RuntimeException e) {
        pipe.close();
        throw e;
      }
    } catch (RuntimeException e) {
      subvolume.close();
      throw e;
    }
  }
}
