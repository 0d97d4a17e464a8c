package dev.stapes.qemu.driver;

import dev.stapes.spi.Tree.Stat;
import dev.stapes.spi.Tree.Type;
import java.io.IOException;
import java.time.Instant;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads what stat(1) says. */
final class GuestStat {
  private static final Pattern LINE =
      Pattern.compile(
          "([0-9a-f]{1,8}) ([0-9]{1,10}) ([0-9]{1,10}) ([0-9]{1,18}) (-?[0-9]{1,11})"
              + " ([0-9a-f]{1,7}) ([0-9a-f]{1,7}) ([0-9]{1,18}) ([0-9]{1,20}) (.{1,60})");

  /** Nanoseconds, which not every stat(1) has. */
  private static final Pattern FRACTION = Pattern.compile(":[0-9]{2}\\.([0-9]{9})( |$)");

  private static final int KIND = 0170000;
  private static final int PERMISSIONS = 07777;

  private GuestStat() {}

  /** What is said in the format {@code %f %u %g %s %Y %t %T %h %i %y}. */
  static Stat parse(String line) throws IOException {
    Matcher fields = LINE.matcher(line);
    if (!fields.matches()) {
      throw new IOException("with no stat: " + GuestShell.abbreviated(line));
    }
    int mode = Integer.parseUnsignedInt(fields.group(1), 16);
    return new Stat(
        type(mode),
        mode & PERMISSIONS,
        Long.parseLong(fields.group(2)),
        Long.parseLong(fields.group(3)),
        Long.parseLong(fields.group(4)),
        time(Long.parseLong(fields.group(5)), fields.group(10)),
        Integer.parseInt(fields.group(6), 16),
        Integer.parseInt(fields.group(7), 16),
        Long.parseLong(fields.group(8)),
        inode(fields.group(9)));
  }

  private static Instant time(long seconds, String text) {
    Matcher fraction = FRACTION.matcher(text);
    return Instant.ofEpochSecond(
        seconds, fraction.find() ? Integer.parseInt(fraction.group(1)) : 0);
  }

  private static long inode(String text) throws IOException {
    try {
      return Long.parseUnsignedLong(text);
    } catch (NumberFormatException e) {
      throw new IOException("with no inode: " + text, e);
    }
  }

  private static Type type(int mode) throws IOException {
    return switch (mode & KIND) {
      case 0100000 -> Type.FILE;
      case 0040000 -> Type.DIRECTORY;
      case 0120000 -> Type.SYMLINK;
      case 0010000 -> Type.FIFO;
      case 0140000 -> Type.SOCKET;
      case 0020000 -> Type.CHARACTER_DEVICE;
      case 0060000 -> Type.BLOCK_DEVICE;
      default -> throw new IOException("with no kind of file: " + Integer.toOctalString(mode));
    };
  }
}
