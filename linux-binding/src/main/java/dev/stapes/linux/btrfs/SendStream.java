package dev.stapes.linux.btrfs;

import static dev.stapes.linux.btrfs.Abi.*;

import dev.stapes.linux.Fd;
import dev.stapes.linux.Pipe;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/**
 * A subvolume that the kernel is writing as a stream. Closing it ends that, also from another
 * thread while one waits for whoever takes the stream; then nothing holds the file system any more.
 */
public final class SendStream implements AutoCloseable {
  private static final int BUFFER = 64 * 1024;

  private final Fd subvolume;
  private final InputStream in;
  private final FutureTask<Boolean> sending;

  private SendStream(Fd subvolume, InputStream in, FutureTask<Boolean> sending) {
    this.subvolume = subvolume;
    this.in = in;
    this.sending = sending;
  }

  /** The kernel writes while the call lasts, so somebody else has to read. */
  static SendStream begin(Syscalls sys, Fd subvolume, long base, Pipe pipe) {
    InputStream in = pipe.read().input();
    FutureTask<Boolean> sending = new FutureTask<>(() -> send(sys, subvolume, base, pipe.write()));
    Thread sender = new Thread(sending, "btrfs-send");
    sender.setDaemon(true);
    sender.start();
    return new SendStream(subvolume, in, sending);
  }

  private static boolean send(Syscalls sys, Fd subvolume, long base, Fd to) {
    try (to) {
      ByteBuffer args = Syscalls.buffer(btrfs_ioctl_send_args_SIZEOF);
      args.putLong(btrfs_ioctl_send_args_send_fd, to.number());
      args.putLong(btrfs_ioctl_send_args_parent_root, base);
      int result = sys.libc().ioctl(subvolume.number(), BTRFS_IOC_SEND, args);
      sys.check(result, "ioctl(BTRFS_IOC_SEND)", subvolume);
      return true;
    }
  }

  /**
   * Passes all of it on.
   *
   * @throws LinuxException EPERM if a subvolume is not read-only
   * @throws UncheckedIOException if the stream cannot be written, or this was closed
   */
  public void drain(OutputStream out) {
    byte[] bytes = new byte[BUFFER];
    try {
      for (int count = in.read(bytes); count >= 0; count = in.read(bytes)) {
        out.write(bytes, 0, count);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("send stream: cannot be written: " + e.getMessage(), e);
    }
    try {
      await();
    } catch (ExecutionException e) {
      throw e.getCause() instanceof LinuxException linux
          ? linux
          : new LinuxException("ioctl(BTRFS_IOC_SEND)", e.getCause(), Errno.EIO);
    }
  }

  /** The kernel's call ends by itself once nobody reads. */
  private void await() throws ExecutionException {
    boolean interrupted = false;
    try {
      while (true) {
        try {
          sending.get();
          return;
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** Returns when the kernel has let go, also where another thread closes it. */
  @Override
  public synchronized void close() {
    try {
      in.close(); // ends a sender that nobody reads from
      await();
    } catch (IOException e) {
      throw new UncheckedIOException("send stream: cannot be closed: " + e.getMessage(), e);
    } catch (ExecutionException e) {
      // what was not passed on failed with EPIPE; drain tells of the rest
    } finally {
      subvolume.close();
    }
  }
}
