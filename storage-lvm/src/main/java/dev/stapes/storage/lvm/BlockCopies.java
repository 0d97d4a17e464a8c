package dev.stapes.storage.lvm;

import dev.stapes.linux.Fd;
import dev.stapes.linux.OpenFlag;
import dev.stapes.linux.block.BlockZeros;
import dev.stapes.linux.block.LoopDevice;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Set;

/**
 * Real devices. Zeros are not written but asked for, which many devices do at once, and on which a
 * sparse file stays so. A thread that is interrupted gives up between two pieces.
 *
 * @param sys the system calls
 */
record BlockCopies(Syscalls sys) implements DeviceContents {
  private static final Set<OpenFlag> READ = Set.of(OpenFlag.READ);
  private static final Set<OpenFlag> READ_WRITE = Set.of(OpenFlag.READ, OpenFlag.WRITE);

  /** Read at once. */
  private static final int PIECE = 1 << 20;

  /** Looked at whether it is zeros. */
  private static final int GRAIN = 64 << 10;

  @Override
  public void zero(Path device, long from, Runnable look) {
    try (Fd open = Fd.open(sys, device, READ_WRITE)) {
      zero(open, device, from, LoopDevice.sizeOf(sys, open), look);
      open.sync();
    }
  }

  @Override
  public void copy(Path from, Path to, Runnable look) {
    try (Fd source = Fd.open(sys, from, READ);
        Fd target = Fd.open(sys, to, READ_WRITE)) {
      long size = LoopDevice.sizeOf(sys, source);
      if (size > LoopDevice.sizeOf(sys, target)) {
        throw new StapesException(Kind.BUSY, from.toString(), "has grown while it was copied");
      }
      ByteBuffer piece = ByteBuffer.allocateDirect(PIECE);
      long zeros = 0; // where those begin that are not written yet
      long written = 0; // since the last look
      for (long at = 0; at < size; at += piece.limit()) {
        requireGoing(to);
        read(source, from, piece.clear().limit((int) Math.min(PIECE, size - at)), at);
        for (int grain = 0; grain < piece.limit(); grain += GRAIN) {
          ByteBuffer part = piece.slice(grain, Math.min(GRAIN, piece.limit() - grain));
          if (!isZeros(part)) {
            zero(target, to, zeros, at + grain, look);
            target.write(part, at + grain);
            zeros = at + grain + part.limit();
            written += part.limit();
          }
        }
        if (written >= LOOK) {
          target.sync(); // what is below learns of it
          look.run();
          written = 0;
        }
      }
      zero(target, to, zeros, LoopDevice.sizeOf(sys, target), look);
      target.sync();
    }
  }

  private static void read(Fd device, Path path, ByteBuffer piece, long at) {
    while (piece.hasRemaining()) {
      if (device.read(piece, at + piece.position()) <= 0) {
        throw new LinuxException("read", path, Errno.EIO);
      }
    }
  }

  private static boolean isZeros(ByteBuffer part) {
    int at = 0;
    for (; at + Long.BYTES <= part.limit(); at += Long.BYTES) {
      if (part.getLong(at) != 0) {
        return false;
      }
    }
    for (; at < part.limit(); at++) {
      if (part.get(at) != 0) {
        return false;
      }
    }
    return true;
  }

  /** One that is asked for zeros may have to write them. */
  private void zero(Fd device, Path path, long from, long to, Runnable look) {
    for (long at = from; at < to; at += LOOK) {
      requireGoing(path);
      BlockZeros.write(sys, device, at, Math.min(LOOK, to - at));
      if (to - at > LOOK) {
        look.run();
      }
    }
  }

  private static void requireGoing(Path device) {
    if (Thread.currentThread().isInterrupted()) {
      throw new StapesException(Kind.INTERRUPTED, device.toString(), "interrupted");
    }
  }
}
