package dev.stapes.linux.zfs;

import dev.stapes.linux.ffi.LibNvpair;
import dev.stapes.linux.ffi.LibZfsCore;
import dev.stapes.linux.ffi.Syscalls;
import java.util.List;
import java.util.Optional;
import java.util.function.ToIntBiFunction;
import jnr.ffi.LibraryLoader;
import jnr.ffi.Memory;
import jnr.ffi.Pointer;
import jnr.ffi.Runtime;
import org.jspecify.annotations.Nullable;

/** The calls of libzfs_core. It keeps {@code /dev/zfs} open from the first success on. */
final class CoreCalls implements ZfsCalls {
  /** The same since OpenZFS 2.0. */
  private static final String CORE = "libzfs_core.so.3";

  private static final String PAIRS = "libnvpair.so.3";

  /** {@code NV_UNIQUE_NAME} of {@code sys/nvpair.h}. */
  private static final int UNIQUE_NAMES = 1;

  private final LibZfsCore core;
  private final LibNvpair pairs;

  private CoreCalls(LibZfsCore core, LibNvpair pairs) {
    this.core = core;
    this.pairs = pairs;
  }

  static Optional<CoreCalls> find() {
    return Optional.ofNullable(Loaded.CALLS).filter(calls -> calls.core.libzfs_core_init() == 0);
  }

  @Override
  public int clone(String snapshot, String dataset) {
    return core.lzc_clone(dataset, snapshot, null);
  }

  @Override
  public int rename(String from, String to) {
    return core.lzc_rename(from, to);
  }

  @Override
  public int snapshot(List<String> names) {
    return listed(names, (all, errors) -> core.lzc_snapshot(all, null, errors));
  }

  @Override
  public int destroy(String dataset) {
    return core.lzc_destroy(dataset);
  }

  @Override
  public int destroySnapshots(List<String> names, boolean deferred) {
    int defer = deferred ? 1 : 0;
    return listed(names, (all, errors) -> core.lzc_destroy_snaps(all, defer, errors));
  }

  /** What the library calls an nvlist: here names alone. */
  private int listed(List<String> names, ToIntBiFunction<Pointer, Pointer> call) {
    Pointer list = pointer();
    int error = pairs.nvlist_alloc(list, UNIQUE_NAMES, 0);
    if (error != 0) {
      return error;
    }
    Pointer all = list.getPointer(0);
    Pointer errors = pointer();
    try {
      for (String name : names) {
        error = pairs.nvlist_add_boolean(all, name);
        if (error != 0) {
          return error;
        }
      }
      return call.applyAsInt(all, errors);
    } finally {
      pairs.nvlist_free(errors.getPointer(0));
      pairs.nvlist_free(all);
    }
  }

  /** Room for a pointer, which is NULL. */
  private static Pointer pointer() {
    Runtime runtime = Runtime.getSystemRuntime();
    return Memory.allocateDirect(runtime, runtime.addressSize(), true);
  }

  /** What became of loading the libraries. */
  private static final class Loaded {
    static final @Nullable CoreCalls CALLS = load();

    private Loaded() {}

    private static @Nullable CoreCalls load() {
      if (Syscalls.unavailable().isPresent()) {
        return null;
      }
      try {
        LibNvpair pairs = LibraryLoader.create(LibNvpair.class).failImmediately().load(PAIRS);
        pairs.nvlist_free(null);
        LibZfsCore core = LibraryLoader.create(LibZfsCore.class).failImmediately().load(CORE);
        return new CoreCalls(core, pairs);
      } catch (RuntimeException | LinkageError e) {
        return null;
      }
    }
  }
}
