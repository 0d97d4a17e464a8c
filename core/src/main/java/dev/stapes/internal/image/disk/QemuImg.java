package dev.stapes.internal.image.disk;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Command;
import dev.stapes.spi.Host;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

/**
 * qemu-img(1). It is always told the format that {@link Disk} has found, and never looks for
 * itself: a raw disk may pretend to be one that has its data in any file of the host.
 */
public final class QemuImg {
  private static final String PROGRAM = "qemu-img";
  private static final Duration LONGEST = Duration.ofHours(12);
  private static final ObjectMapper JSON = new ObjectMapper();

  /** So much may come out of a file whatever its size. */
  private static final long FREE = Size.ofMebibytes(256).bytes();

  /** Beyond that, of the data to the file that it is in. */
  private static final long RATIO = 1_000;

  private static final int LEAKS = 3;

  private final Host host;
  private final String subject;

  /**
   * Prepares.
   *
   * @param subject what errors are about
   */
  public QemuImg(Host host, String subject) {
    this.host = host;
    this.subject = subject;
  }

  /**
   * Checks that a file is what its header says, with all its data there.
   *
   * @return with the size as the program has it
   * @throws StapesException INVALID where it is not; UNAVAILABLE without the program
   */
  public Disk verified(Path file, Disk disk) {
    if (disk.format() == DiskFormat.RAW) {
      return disk;
    }
    requireProgram();
    JsonNode info = asked(file, disk, "info");
    for (String more : List.of("backing-filename", "full-backing-filename", "data-file")) {
      if (info.has(more)) {
        throw StapesException.invalid(subject, "needs another file: it is only a part of a disk");
      }
    }
    for (JsonNode extent : info.at("/format-specific/data/extents")) {
      if (!extent.path("filename").asText().equals(file.toString())) {
        throw StapesException.invalid(subject, "has data in other files");
      }
    }
    if (info.path("encrypted").asBoolean()) {
      throw StapesException.invalid(subject, "is encrypted");
    }
    long size = info.path("virtual-size").asLong();
    if (size != disk.size() && disk.format() != DiskFormat.VHD) { // which has two ideas of it
      throw StapesException.invalid(
          subject, "says that its disk has " + disk.size() + " bytes, but it has " + size);
    }
    if (disk.format().isCheckable()) {
      check(file, disk);
    }
    requireUsualRatio(file, disk);
    return new Disk(disk.format(), size);
  }

  private JsonNode asked(Path file, Disk disk, String... command) {
    List<String> words = new ArrayList<>(List.of(PROGRAM));
    words.addAll(List.of(command));
    words.addAll(List.of("--output=json", "-f", disk.format().toString(), file.toString()));
    try {
      return JSON.readTree(run(words, "cannot be read"));
    } catch (JsonProcessingException e) {
      throw new StapesException(
          Kind.INTERNAL, subject, "qemu-img has said what is no JSON: " + e.getMessage(), e);
    }
  }

  /** Clusters that nobody refers to do no harm. */
  private void check(Path file, Disk disk) {
    run(
        List.of(
            "sh",
            "-c",
            "\"$@\" >&2 || test $? -eq " + LEAKS,
            "sh",
            PROGRAM,
            "check",
            "-f",
            disk.format().toString(),
            file.toString()),
        "is damaged");
  }

  /** What a disk of QEMU would need is what has been written to it. */
  private void requireUsualRatio(Path file, Disk disk) {
    long stored;
    try {
      stored = Files.size(file);
    } catch (IOException e) {
      throw new StapesException(Kind.INTERNAL, subject, "cannot be read: " + e.getMessage(), e);
    }
    long data = asked(file, disk, "measure", "-O", "qcow2").path("required").asLong();
    if (data > FREE && data / RATIO > stored) {
      throw StapesException.invalid(
          subject, "grows to more than " + RATIO + " times its size: not converted");
    }
  }

  /**
   * Writes a disk byte by byte, its zeros as holes. To be called with what is {@link #verified}.
   *
   * @param target a path of the host's namespace that does not exist; what is there after an error
   *     is for the caller to remove
   * @throws StapesException EXHAUSTED where there is no space; INTERRUPTED
   */
  public void toRaw(Path file, Disk disk, Path target) {
    convert(
        List.of("-f", disk.format().toString(), "-O", "raw", "-S", "4k", "-t", "writeback"),
        file,
        target);
  }

  /**
   * The same onto a block device that reads as zeros, and has as many bytes or more. Past the cache
   * of the host: where a thin device is full, qemu-img would not hear of what is written later. The
   * device's own cache is for the caller to write out.
   */
  public void toDevice(Path file, Disk disk, Path target) {
    convert(
        List.of(
            "-f", disk.format().toString(), "-O", "raw", "-n", "--target-is-zero", "-t", "none"),
        file,
        target);
  }

  /** Writes a raw disk as a compressed qcow2. */
  public void toCompressed(Path raw, Path target) {
    requireProgram();
    convert(List.of("-f", "raw", "-O", "qcow2", "-c"), raw, target);
  }

  private void convert(List<String> how, Path from, Path to) {
    List<String> words = new ArrayList<>(List.of(PROGRAM, "convert", "-q"));
    words.addAll(how);
    words.addAll(List.of(from.toString(), to.toString()));
    try {
      host.programs().run(new Command(words, new TreeMap<>(), LONGEST));
    } catch (StapesException e) {
      boolean full = e.kind() == Kind.INTERNAL && isFull(String.valueOf(e.getMessage()));
      throw new StapesException(
          full ? Kind.EXHAUSTED : e.kind(), subject, "cannot be converted: " + e.getMessage(), e);
    }
  }

  private static boolean isFull(String message) {
    return message.contains("No space left") || message.contains("quota exceeded");
  }

  private String run(List<String> words, String problem) {
    try {
      return host.programs().run(new Command(words, new TreeMap<>(), LONGEST)).stdout();
    } catch (StapesException e) {
      throw new StapesException(
          e.kind() == Kind.INTERNAL ? Kind.INVALID : e.kind(),
          subject,
          problem + ": " + e.getMessage(),
          e);
    }
  }

  private void requireProgram() {
    if (host.programs().find(PROGRAM).isEmpty()) {
      throw new StapesException(
          Kind.UNAVAILABLE,
          subject,
          "its disk needs qemu-img, which is not found: install the package qemu-utils");
    }
  }
}
