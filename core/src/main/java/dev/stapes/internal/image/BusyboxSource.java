package dev.stapes.internal.image;

import dev.stapes.model.ImageMetadata;
import dev.stapes.model.StapesException;
import dev.stapes.spi.Command;
import dev.stapes.spi.Host;
import dev.stapes.spi.ImageSource;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A small system of the machine's own busybox: the program, links for all that it can do, a shell
 * as the first process, and the files under {@code etc} that programs expect. The same busybox file
 * (content and time, which a package sets) gives the same archive, byte for byte.
 */
final class BusyboxSource implements ImageSource {
  private static final List<String> PROGRAMS =
      List.of("busybox", "busybox.static", "busybox-static");
  private static final Pattern APPLET = Pattern.compile("[A-Za-z0-9_.+-]{1,64}|\\[\\[?");
  private static final Pattern VERSION = Pattern.compile("BusyBox v(\\d[\\w.]*)");
  private static final long LARGEST = 64L << 20;

  /** Directories with their modes; those not named here are 0755. */
  private static final Map<String, Integer> MODES =
      Map.of("root", 0700, "tmp", 01777, "var/tmp", 01777, "proc", 0555, "sys", 0555);

  private static final List<String> DIRECTORIES =
      List.of(
          "bin",
          "dev",
          "etc",
          "home",
          "lib",
          "media",
          "mnt",
          "opt",
          "proc",
          "root",
          "run",
          "srv",
          "sys",
          "tmp",
          "usr",
          "usr/lib",
          "usr/share",
          "var",
          "var/cache",
          "var/lib",
          "var/log",
          "var/spool",
          "var/tmp");

  /** Everything is in one directory of programs; the other usual names lead there. */
  private static final Map<String, String> LINKS =
      Map.of("sbin", "bin", "usr/bin", "../bin", "usr/sbin", "../bin", "var/run", "../run");

  /** Files that come as resources, with their modes. */
  private static final Map<String, Integer> FILES =
      Map.ofEntries(
          Map.entry("bin/init", 0755),
          Map.entry("etc/group", 0644),
          Map.entry("etc/hostname", 0644),
          Map.entry("etc/hosts", 0644),
          Map.entry("etc/nsswitch.conf", 0644),
          Map.entry("etc/passwd", 0644),
          Map.entry("etc/profile", 0644),
          Map.entry("etc/rc.console", 0755),
          Map.entry("etc/shells", 0644));

  @Override
  public String describe() {
    return "busybox of this machine";
  }

  @Override
  public Fetched fetch(Context context) {
    Host host = context.host();
    Path program = find(host);
    Path local = host.mounts().local(program);
    byte[] content = read(local);
    TreeSet<String> applets = applets(host, program);
    Instant time = modified(local);
    String version = version(content);
    ImageMetadata metadata =
        ImageMetadata.container(
            host.facts().architecture(),
            time,
            Map.of(
                "os",
                "BusyBox",
                "release",
                version,
                "variant",
                "default",
                "architecture",
                host.facts().architecture(),
                "description",
                "BusyBox " + version + " of this machine"));
    Path archive = context.work().resolve("busybox.tar.zst");
    TreeMap<String, byte[]> files = files(version);
    ArchiveFile.write(
        archive, true, metadata, time, tar -> add(tar, content, applets, files, time));
    return new Fetched(archive, metadata);
  }

  private static void add(
      TarWriter tar,
      byte[] busybox,
      TreeSet<String> applets,
      TreeMap<String, byte[]> files,
      Instant time)
      throws IOException {
    tar.add(TarEntry.directory("rootfs", 0755, time));
    for (String directory : DIRECTORIES) {
      tar.add(TarEntry.directory("rootfs/" + directory, MODES.getOrDefault(directory, 0755), time));
    }
    tar.add(TarEntry.file("rootfs/bin/busybox", 0755, busybox.length, time), busybox);
    for (String applet : applets) {
      if (!files.containsKey("bin/" + applet)) {
        tar.add(TarEntry.symlink("rootfs/bin/" + applet, "busybox", time));
      }
    }
    for (Map.Entry<String, byte[]> file : files.entrySet()) {
      int mode = FILES.getOrDefault(file.getKey(), 0644);
      tar.add(
          TarEntry.file("rootfs/" + file.getKey(), mode, file.getValue().length, time),
          file.getValue());
    }
    for (Map.Entry<String, String> link : new TreeMap<>(LINKS).entrySet()) {
      tar.add(TarEntry.symlink("rootfs/" + link.getKey(), link.getValue(), time));
    }
  }

  /** The first busybox that runs without libraries, or an error that says why there is none. */
  private static Path find(Host host) {
    String problem = "not found on this machine";
    for (String name : PROGRAMS) {
      Optional<Path> program = host.programs().find(name);
      if (program.isEmpty()) {
        continue;
      }
      ElfHeader header;
      try {
        header = ElfHeader.of(read(host.mounts().local(program.get())));
      } catch (StapesException e) {
        problem = program.get() + ": " + e.getMessage();
        continue;
      }
      if (header.dynamic()) {
        problem = program.get() + " is dynamically linked";
      } else if (!header.isFor(host.facts().architecture())) {
        problem = program.get() + " is not for " + host.facts().architecture();
      } else {
        return program.get();
      }
    }
    throw new StapesException(
        StapesException.Kind.UNAVAILABLE,
        "busybox image",
        "needs a static busybox: " + problem + ": install the package busybox-static");
  }

  private static byte[] read(Path program) {
    try {
      if (Files.size(program) > LARGEST) {
        throw StapesException.invalid("program", "larger than any busybox: " + program);
      }
      return Files.readAllBytes(program);
    } catch (IOException e) {
      throw DiskError.of("busybox image", "cannot read " + program, e);
    }
  }

  private static Instant modified(Path program) {
    try {
      return Files.getLastModifiedTime(program).toInstant().truncatedTo(ChronoUnit.SECONDS);
    } catch (IOException e) {
      throw DiskError.of("busybox image", "cannot read " + program, e);
    }
  }

  private static TreeSet<String> applets(Host host, Path program) {
    TreeSet<String> applets = new TreeSet<>();
    for (String line :
        host.programs().run(Command.of(program.toString(), "--list")).stdout().lines().toList()) {
      String applet = line.strip();
      if (APPLET.matcher(applet).matches() && !applet.equals("busybox") && !applet.equals("..")) {
        applets.add(applet);
      }
    }
    List<String> missing =
        new ArrayList<>(List.of("sh", "poweroff", "start-stop-daemon", "sleep", "usleep"));
    missing.removeAll(applets);
    if (!missing.isEmpty()) {
      throw new StapesException(
          StapesException.Kind.UNAVAILABLE,
          "busybox image",
          program
              + " lacks "
              + String.join(", ", missing)
              + ": install the package busybox-static");
    }
    return applets;
  }

  private static String version(byte[] program) {
    Matcher matcher = VERSION.matcher(new String(program, StandardCharsets.ISO_8859_1));
    return matcher.find() ? matcher.group(1) : "unknown";
  }

  private static TreeMap<String, byte[]> files(String version) {
    TreeMap<String, byte[]> files = new TreeMap<>();
    for (String name : FILES.keySet()) {
      files.put(name, resource("busybox" + name.substring(name.lastIndexOf('/'))));
    }
    files.put(
        "etc/os-release",
        ("ID=busybox\nNAME=BusyBox\nVERSION_ID="
                + version
                + "\nPRETTY_NAME=\"BusyBox "
                + version
                + "\"\n")
            .getBytes(StandardCharsets.UTF_8));
    files.put("etc/resolv.conf", new byte[0]);
    return files;
  }

  private static byte[] resource(String name) {
    try (InputStream in = BusyboxSource.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new StapesException(
            StapesException.Kind.INTERNAL, "busybox image", "the resource " + name + " is missing");
      }
      return in.readAllBytes();
    } catch (IOException e) {
      throw DiskError.of("busybox image", "cannot read the resource " + name, e);
    }
  }
}
