/** The examples, and with them the drivers that a program brings. */
module dev.stapes.examples {
  requires dev.stapes.core;
  requires dev.stapes.linux;
  requires dev.stapes.lxc;
  requires dev.stapes.storage.fs;
  requires dev.stapes.storage.zfs;
}
