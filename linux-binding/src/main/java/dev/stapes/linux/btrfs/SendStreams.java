package dev.stapes.linux.btrfs;

import static dev.stapes.linux.btrfs.Abi.*;

import dev.stapes.linux.Fd;
import dev.stapes.linux.Pipe;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import org.jspecify.annotations.Nullable;

/** Writes subvolumes as streams; the kernel makes them. Needs CAP_SYS_ADMIN. */
public final class SendStreams {
  private static final int BUFFER = 64 * 1024;

  private final Syscalls sys;

  public SendStreams(Syscalls sys) {
    this.sys = sys;
  }

  /**
   * Writes a read-only subvolume, without those that lie in it.
   *
   * @param base the number of a read-only subvolume that the receiver has; 0: none
   * @throws LinuxException EPERM if one of them is not read-only
   * @throws UncheckedIOException if the stream cannot be written
   */
  public void send(Fd subvolume, long base, OutputStream out) {
    try (Pipe pipe = Pipe.open(sys)) {
      // The kernel writes while the call lasts, so somebody else has to read.
      FutureTask<Boolean> sending = new FutureTask<>(() -> ioctl(subvolume, base, pipe.write()));
      Thread sender = new Thread(sending, "btrfs-send");
      sender.setDaemon(true);
      sender.start();
      RuntimeException failure = null;
      try {
        pass(pipe.read(), out);
      } catch (RuntimeException e) {
        failure = e;
      }
      pipe.read().close(); // ends a sender that nobody reads from
      await(sending, failure);
    }
  }

  private boolean ioctl(Fd subvolume, long base, Fd to) {
    try (to) {
      ByteBuffer args = Syscalls.buffer(btrfs_ioctl_send_args_SIZEOF);
      args.putLong(btrfs_ioctl_send_args_send_fd, to.number());
      args.putLong(btrfs_ioctl_send_args_parent_root, base);
      int result = sys.libc().ioctl(subvolume.number(), BTRFS_IOC_SEND, args);
      sys.check(result, "ioctl(BTRFS_IOC_SEND)", subvolume);
      return true;
    }
  }

  private static void pass(Fd from, OutputStream out) {
    ByteBuffer buffer = Syscalls.buffer(BUFFER);
    byte[] bytes = new byte[BUFFER];
    try {
      for (int count = from.read(buffer); count >= 0; count = from.read(buffer.clear())) {
        buffer.get(0, bytes, 0, count);
        out.write(bytes, 0, count);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("send stream: cannot be written: " + e.getMessage(), e);
    }
  }

  /** What the writer failed with comes first: the sender then fails with EPIPE. */
  private static void await(FutureTask<Boolean> sending, @Nullable RuntimeException failure) {
    boolean interrupted = false;
    while (true) {
      try {
        sending.get();
        break;
      } catch (InterruptedException e) {
        interrupted = true; // the call ends by itself: nobody reads any more
      } catch (ExecutionException e) {
        if (failure == null) {
          throw e.getCause() instanceof LinuxException linux
              ? linux
              : new LinuxException("ioctl(BTRFS_IOC_SEND)", e.getCause(), Errno.EIO);
        }
        break;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    if (failure != null) {
      throw failure;
    }
  }
}
