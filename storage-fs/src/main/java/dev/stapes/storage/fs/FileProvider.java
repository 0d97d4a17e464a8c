package dev.stapes.storage.fs;

import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.ConfigKey;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Availability;
import dev.stapes.spi.Host;
import dev.stapes.spi.StorageDriverProvider;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.Undo;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Supplier;

/** What all providers of this module do alike. */
abstract class FileProvider implements StorageDriverProvider {
  private final String name;
  private final List<ConfigKey<?>> keys;
  private final Supplier<Syscalls> sys;

  FileProvider(String name, List<ConfigKey<?>> keys, Supplier<Syscalls> sys) {
    this.name = name;
    this.keys = keys;
    this.sys = sys;
  }

  abstract Availability probeKernel(Host host);

  abstract StoragePool create(PoolContext pool);

  abstract StoragePool open(PoolContext pool);

  @Override
  public final String name() {
    return name;
  }

  @Override
  public final Availability probe(Host host) {
    Availability basics = Probes.rootOnLinux(host);
    return basics instanceof Availability.Unavailable ? basics : probeKernel(host);
  }

  @Override
  public final List<ConfigKey<?>> poolKeys() {
    return keys;
  }

  @Override
  public final StoragePool create(Host host, PoolSpec spec, Path directory) {
    PoolContext pool = context(host, spec, directory);
    StoragePool made = Failures.naming(pool.subject(), "cannot be made", () -> create(pool));
    try {
      new SourceMark(pool).write();
      return made;
    } catch (RuntimeException e) {
      Undo.after(e, made::destroy);
      throw e;
    }
  }

  @Override
  public final StoragePool open(Host host, PoolSpec spec, Path directory) {
    PoolContext pool = context(host, spec, directory);
    StoragePool opened = Failures.naming(pool.subject(), "cannot be opened", () -> open(pool));
    new SourceMark(pool).refresh();
    return opened;
  }

  /**
   * Of what cannot be opened nothing is left, unless its device or directory is away and may come
   * back: a removal leaves both, and a file system may not be mounted yet.
   */
  @Override
  public final void sweep(Host host, PoolSpec spec, Path directory, Unfinished what) {
    if (what == Unfinished.CREATION) {
      return;
    }
    new SourceMark(context(host, spec, directory)).require();
    StoragePool pool;
    try {
      pool = open(host, spec, directory);
    } catch (StapesException e) {
      if (e.kind() == Kind.NOT_FOUND || e.kind() == Kind.UNAVAILABLE) {
        return;
      }
      throw e;
    }
    try {
      pool.destroy();
    } catch (RuntimeException e) {
      Undo.after(e, pool::close);
      throw e;
    }
  }

  private PoolContext context(Host host, PoolSpec spec, Path directory) {
    PoolKeys.validate(spec, keys);
    return new PoolContext(host, sys.get(), spec, directory);
  }

  /** The pool's directories, as they were laid out. */
  final PoolDirectory volumes(PoolContext pool, Path root) {
    return PoolDirectory.open(pool.sys(), pool.local(root), root, name, pool.subject());
  }
}
