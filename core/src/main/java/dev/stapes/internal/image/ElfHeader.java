package dev.stapes.internal.image;

import dev.stapes.model.StapesException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;

/**
 * What the headers of a program say (elf(5)).
 *
 * @param machine number of the architecture, e_machine
 * @param dynamic whether it needs a dynamic linker, PT_INTERP
 */
record ElfHeader(int machine, boolean dynamic) {
  private static final int CLASS = 4;
  private static final int ENCODING = 5;
  private static final int MACHINE = 18;
  private static final int PT_INTERP = 3;

  /** e_machine by the kernel's name of the architecture. */
  private static final Map<String, Integer> MACHINES =
      Map.of(
          "x86_64", 62,
          "aarch64", 183,
          "i686", 3,
          "armv7l", 40,
          "ppc64le", 21,
          "ppc64", 21,
          "s390x", 22,
          "riscv64", 243,
          "loongarch64", 258,
          "mips64", 8);

  /**
   * Reads the headers.
   *
   * @param program the file, or as much of its start as has the program headers
   * @throws StapesException INVALID where it is no ELF file
   */
  static ElfHeader of(byte[] program) {
    if (program.length < 64
        || program[0] != 0x7f
        || program[1] != 'E'
        || program[2] != 'L'
        || program[3] != 'F') {
      throw StapesException.invalid("program", "is no ELF file");
    }
    boolean wide = program[CLASS] == 2;
    ByteBuffer elf =
        ByteBuffer.wrap(program)
            .order(program[ENCODING] == 2 ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN);
    long table = wide ? elf.getLong(32) : elf.getInt(28) & 0xFFFF_FFFFL;
    int size = elf.getShort(wide ? 54 : 42) & 0xffff;
    int count = elf.getShort(wide ? 56 : 44) & 0xffff;
    if (size < 32 || table < 0 || table > program.length - (long) size * count) {
      throw StapesException.invalid("program", "its ELF program headers are out of bounds");
    }
    boolean dynamic = false;
    for (int i = 0; i < count; i++) {
      dynamic |= elf.getInt((int) table + i * size) == PT_INTERP;
    }
    return new ElfHeader(elf.getShort(MACHINE) & 0xffff, dynamic);
  }

  /** Whether it is for an architecture; true where its number is not known here. */
  boolean isFor(String architecture) {
    Integer expected = MACHINES.get(architecture);
    return expected == null || expected == machine;
  }
}
