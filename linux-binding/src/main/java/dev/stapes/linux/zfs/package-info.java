/** Changes of ZFS without a process: what libzfs_core can do in one call. */
@NullMarked
package dev.stapes.linux.zfs;

import org.jspecify.annotations.NullMarked;
