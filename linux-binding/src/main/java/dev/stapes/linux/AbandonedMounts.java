package dev.stapes.linux;

import dev.stapes.linux.ffi.Constants;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;

/**
 * Mounts of mount namespaces whose maker is gone, and which live on because of a program that it
 * started: nobody else can unmount what is in them. See mount_namespaces(7) and setns(2).
 */
public final class AbandonedMounts {
  private static final Path PROC = Path.of("/proc");

  private final Syscalls sys;

  /** Works by these system calls. */
  public AbandonedMounts(Syscalls sys) {
    this.sys = sys;
  }

  /**
   * Detaches a mount, with those on it, in every mount namespace but this process's own. Only
   * namespaces are entered whose program has the root directory and the user namespace of this
   * process, so no container's. What a program has open there it keeps.
   *
   * @param type and source: a mount that has others is left alone
   * @throws LinuxException of setns(2) or umount2(2)
   */
  public void detach(Path target, String type, String source) {
    Set<String> done = new HashSet<>();
    done.add(link(PROC.resolve("self/ns/mnt")));
    try (DirectoryStream<Path> processes = Files.newDirectoryStream(PROC, "[0-9]*")) {
      for (Path process : processes) {
        // One that ends while it is looked at says nothing about the others of its namespace.
        String namespace = link(process.resolve("ns/mnt"));
        if (!done.contains(namespace)
            && isLikeThis(process)
            && isThere(process, target, type, source)
            && isDetachedIn(process.resolve("ns/mnt"), target)) {
          done.add(namespace);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException("/proc: cannot be read: " + e.getMessage(), e);
    }
  }

  /** Whether paths mean the same to a process as to this one, as far as mounts allow. */
  private static boolean isLikeThis(Path process) {
    Path self = PROC.resolve("self");
    try {
      return link(process.resolve("ns/user")).equals(link(self.resolve("ns/user")))
          && Files.isSameFile(process.resolve("root"), self.resolve("root"));
    } catch (IOException e) {
      return false; // it has ended
    }
  }

  private static boolean isThere(Path process, Path target, String type, String source) {
    try {
      int pid = Integer.parseInt(process.getFileName().toString());
      return MountTable.ofProcess(pid).mounts().stream()
          .anyMatch(
              mount ->
                  mount.mountPoint().equals(target.toString())
                      && mount.type().equals(type)
                      && mount.source().equals(source));
    } catch (UncheckedIOException e) {
      return false; // it has ended
    }
  }

  /** False: the process has ended. */
  private boolean isDetachedIn(Path namespace, Path target) {
    try {
      detachIn(namespace, target);
      return true;
    } catch (LinuxException e) {
      if (e.is(Errno.ENOENT, Errno.ESRCH)) {
        return false;
      }
      throw e;
    }
  }

  /** On a thread that ends afterwards: it never comes back to the namespace of the others. */
  private void detachIn(Path namespace, Path target) {
    RuntimeException[] failure = new RuntimeException[1];
    Thread thread =
        new Thread(
            () -> {
              try {
                enterAndDetach(namespace, target);
              } catch (RuntimeException e) {
                failure[0] = e;
              }
            },
            "stapes-abandoned-mounts");
    thread.start();
    Joins.join(thread);
    if (failure[0] != null) {
      throw failure[0];
    }
  }

  private void enterAndDetach(Path namespace, Path target) {
    try (Fd fd = Fd.open(sys, namespace, Set.of(OpenFlag.READ))) {
      // A thread that shares its root and working directory with others may not change namespaces.
      sys.check(sys.libc().unshare(Constants.CLONE_NEWNS), "unshare", "mount namespace");
      sys.check(sys.libc().setns(fd.number(), Constants.CLONE_NEWNS), "setns", namespace);
      new MountNamespace(sys).unmountLazilyIfMounted(target);
    }
  }

  private static String link(Path path) {
    try {
      return Files.readSymbolicLink(path).toString();
    } catch (IOException e) {
      return ""; // it has ended, or is not ours to look at
    }
  }
}
