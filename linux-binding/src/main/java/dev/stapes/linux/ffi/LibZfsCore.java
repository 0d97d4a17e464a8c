package dev.stapes.linux.ffi;

import jnr.ffi.Pointer;
import org.jspecify.annotations.Nullable;

/**
 * Functions of libzfs_core under their C names and with their C arguments; no logic. Read {@code
 * libzfs_core.h}: they answer 0 or an error number. All are in each libzfs_core.so.3 (OpenZFS 2.0
 * and newer).
 */
public interface LibZfsCore {

  int libzfs_core_init();

  int lzc_clone(String fsname, String origin, @Nullable Pointer props);

  int lzc_rename(String source, String target);

  int lzc_destroy(String fsname);

  int lzc_destroy_snaps(Pointer snaps, int defer, Pointer errlist);

  int lzc_snapshot(Pointer snaps, @Nullable Pointer props, Pointer errlist);
}
