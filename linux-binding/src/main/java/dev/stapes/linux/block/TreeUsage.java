package dev.stapes.linux.block;

import dev.stapes.linux.Fd;
import dev.stapes.linux.FileStat;
import dev.stapes.linux.ffi.Syscalls;
import java.util.HashSet;
import java.util.Set;

/** What a tree takes on its file system, as du(1) counts it. */
public final class TreeUsage {
  private final Syscalls sys;

  public TreeUsage(Syscalls sys) {
    this.sys = sys;
  }

  /**
   * The bytes that the files below a directory have allocated, and it itself; a file of several
   * names counts once, blocks that files share count for each of them.
   */
  public long of(Fd directory) {
    Sum sum = new Sum();
    sum.bytes = directory.stat().allocated();
    new TreeWalk(sys).run(directory, sum);
    return sum.bytes;
  }

  private static final class Sum implements TreeWalk.Visitor {
    private long bytes;
    private final Set<InodeKey> seen = new HashSet<>();

    @Override
    public void file(Fd directory, byte[] name, FileStat stat) {
      if (stat.links() == 1 || seen.add(InodeKey.of(stat))) {
        bytes += stat.allocated();
      }
    }

    @Override
    public void enter(Fd parent, byte[] name, Fd directory, FileStat stat) {
      bytes += stat.allocated();
    }

    @Override
    public void leave(Fd directory, FileStat stat) {
      // counted when it was entered
    }
  }
}
