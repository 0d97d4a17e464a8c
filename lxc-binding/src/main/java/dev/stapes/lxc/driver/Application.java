package dev.stapes.lxc.driver;

import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.Config;
import dev.stapes.model.IdMapping;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Host;
import dev.stapes.spi.Machine;
import dev.stapes.spi.ShellWords;
import dev.stapes.spi.Tree;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * The program of an application container (an OCI image's, most often), which runs in place of an
 * init. Its parent, the container's first process, is tini(1): it passes signals on, reaps what is
 * left to it, and ends with the program's exit code.
 *
 * @param command program and arguments
 * @param directory where it starts
 * @param user who it is
 * @param volumes directories that its image says it keeps data in; they are there when it starts
 */
record Application(
    List<String> command, String directory, UserLookup.User user, List<String> volumes) {
  /** Where the container sees tini. */
  static final String INIT = AgentDirectory.INSIDE + "/init";

  private static final String TINI = "tini-static";
  private static final String PROGRAM = "program";
  private static final String INIT_FILE = "init";
  private static final int SIGTERM = 15;

  /** Those that images ask for; others are given by number. */
  private static final Map<String, Integer> SIGNALS =
      Map.of(
          "HUP", 1, "INT", 2, "QUIT", 3, "KILL", 9, "USR1", 10, "USR2", 12, "TERM", 15, "WINCH", 28,
          "PWR", 30, "RTMIN+3", 37);

  Application {
    command = List.copyOf(command);
    volumes = List.copyOf(volumes);
  }

  /** Whether an instance is one. */
  static boolean isOne(Config config) {
    return config.get(LxcKeys.ENTRYPOINT).isPresent();
  }

  /** Checks what can be checked without the root file system. */
  static void validate(Config config) {
    if (isOne(config)) {
      command(config);
      directory(config);
      stopSignal(config);
      volumes(config);
    }
  }

  private static List<String> command(Config config) {
    List<String> command = ShellWords.split(config.get(LxcKeys.ENTRYPOINT).orElse(""));
    if (command.isEmpty()) {
      throw StapesException.invalid("config key oci.entrypoint", "is empty");
    }
    return command;
  }

  private static String directory(Config config) {
    String directory = config.get(LxcKeys.CWD).filter(text -> !text.isEmpty()).orElse("/");
    if (!directory.startsWith("/")) {
      throw StapesException.invalid(
          "config key oci.cwd", "not an absolute path: \"" + directory + "\"");
    }
    return directory;
  }

  private static List<String> volumes(Config config) {
    return ShellWords.split(config.text("image.oci.volumes").orElse(""));
  }

  /**
   * That of an instance.
   *
   * @param root its root file system
   * @param mapping the ids that it has
   * @throws StapesException INVALID where its user or its program is none
   */
  static Application of(Machine.Spec spec, Tree root, Optional<IdMapping> mapping) {
    Config config = spec.config();
    Application application =
        new Application(command(config), directory(config), user(config, root), volumes(config));
    application.requireIds(mapping);
    if (spec.disks().isEmpty() && config.get(LxcKeys.RAW_LXC).isEmpty()) {
      // Else it may be on a disk that is mounted there.
      new ProgramLookup(root, application.directory).require(application.command.get(0), config);
    }
    return application;
  }

  private static UserLookup.User user(Config config, Tree root) {
    Optional<Long> uid = config.get(LxcKeys.OCI_UID);
    Optional<Long> gid = config.get(LxcKeys.OCI_GID);
    if (uid.isPresent()) {
      return UserLookup.number(root, uid.get(), gid);
    }
    UserLookup.User its = UserLookup.of(root, config.text("image.oci.user").orElse(""));
    return new UserLookup.User(its.uid(), gid.orElse(its.gid()), its.home());
  }

  private void requireIds(Optional<IdMapping> mapping) {
    mapping.ifPresent(
        map -> {
          if (map.hostUid(user.uid()).isEmpty() || map.hostGid(user.gid()).isEmpty()) {
            throw StapesException.invalid(
                "user " + user.uid() + ":" + user.gid(), "not in the id map of the instance");
          }
        });
  }

  /** Puts what every application needs where its container finds it. */
  static void prepare(RunFiles files) throws IOException {
    Files.createFile(files.agent().resolve(INIT_FILE));
  }

  /** The host's tini, without shared libraries. */
  static Path init(Host host) {
    return host.programs()
        .find(TINI)
        .orElseThrow(
            () ->
                new StapesException(
                    Kind.UNAVAILABLE,
                    "application container",
                    TINI + " not found: install the package tini"));
  }

  /** Says what is to be executed. */
  void write(Syscalls sys, RunFiles files, Optional<IdMapping> mapping) {
    ExecFiles.write(
        sys, files.agent().resolve(PROGRAM), AgentDirectory.rootOwners(mapping), script());
  }

  private String script() {
    String busybox = "/" + AgentDirectory.INSIDE + "/busybox";
    String there = ShellWords.quote(directory);
    boolean root = user.uid() == 0 && user.gid() == 0;
    return "trap - EXIT\n"
        + "if ! cd "
        + there
        + " 2>/dev/null; then\n"
        + busybox
        + " mkdir -p "
        + there
        + " && cd "
        + there
        + " || exit 126\n"
        + "fi\n"
        + makeVolumes(busybox)
        + "unset OLDPWD PWD SHLVL\n"
        + "[ -n \"$HOME\" ] || export HOME="
        + ShellWords.quote(user.home())
        + "\n"
        + "exec /"
        + INIT
        + " -- "
        + (root ? "" : busybox + " nsenter -S " + user.uid() + " -G " + user.gid() + " ")
        + ShellWords.quote(command)
        + "\n";
  }

  /** What of its volumes the image has not; on a root that is read-only it cannot be made. */
  private String makeVolumes(String busybox) {
    StringBuilder text = new StringBuilder();
    for (String volume : volumes) {
      String there = ShellWords.quote(volume.startsWith("/") ? volume : "/" + volume);
      text.append("[ -e ").append(there).append(" ] || ");
      text.append(busybox).append(" mkdir -p ").append(there).append('\n');
    }
    return text.toString();
  }

  /** What its program is asked to end with, SIGTERM where its image says nothing. */
  static int stopSignal(Config config) {
    return config.text("image.oci.stop_signal").map(Application::signal).orElse(SIGTERM);
  }

  private static int signal(String text) {
    String name = text.toUpperCase(Locale.ROOT);
    Integer known = SIGNALS.get(name.startsWith("SIG") ? name.substring(3) : name);
    if (known != null) {
      return known;
    }
    if (text.matches("[1-9][0-9]?") && Integer.parseInt(text) <= 64) {
      return Integer.parseInt(text);
    }
    throw StapesException.invalid("image property oci.stop_signal", "no signal: \"" + text + "\"");
  }
}
