package dev.stapes.linux.ffi;

import jnr.ffi.Pointer;
import org.jspecify.annotations.Nullable;

/**
 * Functions of libnvpair under their C names and with their C arguments; no logic. Read {@code
 * sys/nvpair.h}: they answer 0 or an error number. All are in each libnvpair.so.3.
 */
public interface LibNvpair {

  int nvlist_alloc(Pointer nvlp, int nvflag, int kmflag);

  int nvlist_add_boolean(Pointer nvl, String name);

  void nvlist_free(@Nullable Pointer nvl);
}
