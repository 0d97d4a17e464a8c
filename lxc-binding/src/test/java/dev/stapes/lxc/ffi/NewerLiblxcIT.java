package dev.stapes.lxc.ffi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The liblxc of the next Debian, fetched by apt into a directory of its own: its headers give the
 * layout that we have, and a JVM under its C library works with it.
 */
@RequiresRoot
@RequiresTool("apt-get")
@RequiresTool("gcc")
class NewerLiblxcIT {
  private static final String RELEASE = "trixie";
  private static final List<String> PACKAGES =
      List.of(
          "lxc-dev",
          "liblxc1t64",
          "libc6",
          "libapparmor1",
          "libcap2",
          "libdbus-1-3",
          "libgcc-s1",
          "libpcre2-8-0",
          "libseccomp2",
          "libselinux1",
          "libssl3t64",
          "libstdc++6",
          "libsystemd0",
          "libzstd1",
          "zlib1g");

  private final Path apt;
  private final Path root;

  NewerLiblxcIT(@TempDir Path directory) {
    apt = directory.resolve("apt");
    root = directory.resolve("root");
  }

  @BeforeEach
  void fetch() throws IOException, InterruptedException {
    org.junit.jupiter.api.Assertions.assertTrue(
        Files.isExecutable(Path.of("/usr/bin/apt-get")), "apt is not on this machine");
    org.junit.jupiter.api.Assertions.assertTrue(Files.isWritable(Path.of("/run")), "needs root");
    String mirror =
        Abi.run(
                List.of(
                    "apt-get",
                    "indextargets",
                    "--format",
                    "$(REPO_URI) $(COMPONENT) $(ORIGIN)",
                    "Created-By: Packages"))
            .lines()
            .filter(line -> line.endsWith(" main Debian") && !line.contains("security"))
            .map(line -> line.substring(0, line.indexOf(' ')))
            .findFirst()
            .orElse("");
    org.junit.jupiter.api.Assertions.assertFalse(
        mirror.isEmpty(), "apt knows no Debian mirror here");
    Path archives = Files.createDirectories(apt.resolve("cache/archives/partial")).getParent();
    Files.createDirectories(apt.resolve("lists/partial"));
    Files.createDirectories(root);
    Files.writeString(
        apt.resolve("sources.list"),
        "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] "
            + mirror
            + " "
            + RELEASE
            + " main\n");
    apt("update");
    List<String> download = new ArrayList<>(List.of("--download-only", "--reinstall", "install"));
    download.addAll(PACKAGES);
    apt(download.toArray(new String[0]));
    try (Stream<Path> packages = Files.list(archives)) {
      for (Path deb : packages.filter(path -> path.toString().endsWith(".deb")).toList()) {
        if (PACKAGES.contains(deb.getFileName().toString().replaceAll("_.*", ""))) {
          Abi.run(List.of("dpkg-deb", "-x", deb.toString(), root.toString()));
        }
      }
    }
  }

  @Test
  void its_headers_and_a_jvm_with_it_agree_with_the_binding()
      throws IOException, InterruptedException {
    Path libraries = root.resolve("usr/lib/x86_64-linux-gnu");
    Path linker = libraries.resolve("ld-linux-x86-64.so.2");
    assertEquals(
        Abi.ours(),
        Abi.measured(
            apt,
            List.of("gcc", "-I" + root.resolve("usr/include")),
            List.of(linker.toString(), "--library-path", libraries.toString())));

    Abi.run(List.of("unshare", "-m", "sh", "-ec", jvmInRoot()));
    String shown = Files.readString(root.resolve("shown"));
    assertTrue(
        shown.matches(
            """
            version 6\\.\\d+\\.\\d+
            name six
            state STOPPED
            defined false
            init OptionalInt.empty OptionalInt.empty
            devpts OptionalInt.empty
            """),
        shown);
  }

  /** A script that runs {@link ShowBinding} in the root, which sees this JVM's own files. */
  private String jvmInRoot() throws IOException {
    List<Path> seen = new ArrayList<>();
    seen.add(Path.of(System.getProperty("java.home")).toRealPath());
    seen.add(Path.of("/etc"));
    seen.add(Path.of("/dev"));
    for (String entry : System.getProperty("java.class.path").split(":", -1)) {
      Path path = Path.of(entry);
      String name = path.toString();
      if (Files.isDirectory(path) || name.contains("/jna-") || name.contains("/jspecify-")) {
        seen.add(path.toAbsolutePath());
      }
    }
    Path lib64 = Files.createDirectories(root.resolve("usr/lib64"));
    if (!Files.exists(lib64.resolve("ld-linux-x86-64.so.2"))) {
      Files.createSymbolicLink(
          lib64.resolve("ld-linux-x86-64.so.2"),
          Path.of("../lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"));
    }
    Files.createSymbolicLink(root.resolve("lib"), Path.of("usr/lib"));
    Files.createSymbolicLink(root.resolve("lib64"), Path.of("usr/lib64"));
    for (String directory : List.of("run/lock", "tmp", "proc", "ct")) {
      Files.createDirectories(root.resolve(directory));
    }
    StringBuilder script = new StringBuilder();
    for (Path path : seen) {
      Path target = root.resolve(path.toString().substring(1));
      if (Files.isDirectory(path)) {
        Files.createDirectories(target);
      } else {
        Files.createDirectories(target.resolve("..").normalize());
        Files.createFile(target);
      }
      script.append("mount --bind ").append(path).append(' ').append(target).append('\n');
    }
    script.append("mount -t proc proc ").append(root.resolve("proc")).append('\n');
    script.append("exec chroot ").append(root).append(' ').append(seen.get(0)).append("/bin/java");
    script.append(" -Xmx64m -cp ");
    script.append(
        seen.subList(3, seen.size()).stream().map(Path::toString).collect(Collectors.joining(":")));
    return script.append(" dev.stapes.lxc.ffi.ShowBinding /ct /shown\n").toString();
  }

  private void apt(String... arguments) throws IOException, InterruptedException {
    List<String> command =
        new ArrayList<>(
            List.of(
                "apt-get",
                "-qq",
                "-y",
                "-o",
                "Dir::Etc::sourcelist=" + apt.resolve("sources.list"),
                "-o",
                "Dir::Etc::sourceparts=/dev/null",
                "-o",
                "Dir::Etc::preferencesparts=/dev/null",
                "-o",
                "Dir::State::lists=" + apt.resolve("lists"),
                "-o",
                "Dir::State::status=/dev/null",
                "-o",
                "Dir::Cache=" + apt.resolve("cache"),
                "-o",
                "Acquire::Retries=5",
                "-o",
                "APT::Install-Recommends=false",
                "-o",
                "APT::Sandbox::User=root"));
    command.addAll(List.of(arguments));
    Abi.run(command);
  }
}
