package dev.stapes.lxc.ffi;

import com.sun.jna.Library;
import com.sun.jna.Pointer;
import org.jspecify.annotations.Nullable;

/** The exported functions of liblxc, with their C names. {@code bool} is the low byte of an int. */
interface LibLxc extends Library {
  @Nullable Pointer lxc_container_new(String name, String configpath);

  int lxc_container_get(Pointer container);

  int lxc_container_put(Pointer container);

  String lxc_get_version();

  byte lxc_config_item_is_supported(String key);

  byte lxc_has_api_extension(String extension);

  int lxc_log_init(LogSettings settings);
}
