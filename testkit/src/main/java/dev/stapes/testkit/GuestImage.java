package dev.stapes.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The files of a virtual machine for tests, as the scripts of the build name them. */
public sealed interface GuestImage permits LabImage, TestGuest {
  /** Where it was built. */
  Path directory();

  /** The metadata of a split image of Incus' format. */
  default Path metadata() {
    return directory().resolve("metadata.tar");
  }

  /** Its disk, in the format qcow2. */
  default Path disk() {
    return directory().resolve("disk.qcow2");
  }

  /** Its kernel, in the form that starts fastest. */
  default Path kernel() {
    return directory().resolve("vmlinux");
  }

  /** The initramfs of its kernel. */
  default Path initrd() {
    return directory().resolve("initramfs");
  }

  /** The arguments of its kernel. */
  default String kernelArguments() {
    try {
      return Files.readString(directory().resolve("cmdline")).strip();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
