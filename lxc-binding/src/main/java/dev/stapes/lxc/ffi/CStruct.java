package dev.stapes.lxc.ffi;

import com.sun.jna.Structure;

/** A structure whose layout a test can compare. */
abstract class CStruct extends Structure {
  final int offsetOf(String field) {
    return fieldOffset(field);
  }
}
