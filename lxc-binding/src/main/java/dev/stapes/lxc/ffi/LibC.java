package dev.stapes.lxc.ffi;

import com.sun.jna.Library;
import com.sun.jna.Pointer;

/** What strings that liblxc allocated are given back to. */
interface LibC extends Library {
  void free(Pointer memory);
}
