package dev.stapes.internal.image;

import dev.stapes.model.ImageMetadata;
import dev.stapes.model.StapesException;
import dev.stapes.spi.Command;
import dev.stapes.spi.Host;
import dev.stapes.spi.ImageSource;
import dev.stapes.spi.Mounts;
import dev.stapes.spi.Tree;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A minimal Debian (or derivative) with systemd as its first process, made by debootstrap(8) from
 * the mirror that the machine's own apt uses.
 */
final class DebootstrapSource implements ImageSource {
  private static final Logger LOG = LoggerFactory.getLogger(DebootstrapSource.class);
  private static final String SUBJECT = "debootstrap image";
  private static final Pattern SUITE = Pattern.compile("[a-z][a-z0-9-]{0,31}");
  private static final Duration LONGEST = Duration.ofMinutes(30);
  private static final int LOG_LINES = 15;
  private static final int LARGEST_LOG = 4 << 20;
  private static final int LARGEST_RELEASE = 64 << 10;
  private static final List<String> PROXIES =
      List.of("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY");

  /** What speaks of the machine that it was made on, or can be fetched again. */
  private static final Pattern UNWANTED =
      Pattern.compile(
          "etc/hostname|etc/resolv\\.conf|var/cache/apt/archives/.*\\.deb|var/cache/apt/.*\\.bin"
              + "|var/lib/apt/lists/.*|var/log/.*\\.log|var/cache/debconf/.*-old"
              + "|var/lib/dpkg/.*-old|debootstrap");

  private final String suite;
  private final InstantSource clock;
  private final Function<String, Optional<String>> environment;

  /**
   * Of a suite.
   *
   * @param environment the JVM's, of which only settings for proxies are used
   */
  DebootstrapSource(
      String suite, InstantSource clock, Function<String, Optional<String>> environment) {
    if (!SUITE.matcher(suite).matches()) {
      throw StapesException.invalid(SUBJECT, "no name of a suite: " + BadArchive.quote(suite));
    }
    this.suite = suite;
    this.clock = clock;
    this.environment = environment;
  }

  @Override
  public String describe() {
    return "debootstrap " + suite;
  }

  @Override
  public Fetched fetch(Context context) {
    Host host = context.host();
    if (host.programs().find("debootstrap").isEmpty()) {
      throw new StapesException(
          StapesException.Kind.UNAVAILABLE,
          SUBJECT,
          "debootstrap not found: install the package debootstrap");
    }
    if (!host.facts().root()) {
      throw new StapesException(
          StapesException.Kind.DENIED, SUBJECT, "debootstrap needs to be run as root");
    }
    AptSources.Mirror mirror = mirror(host);
    Path target = context.work().resolve("target");
    context.progress().update("debootstrap", 0, -1);
    try {
      host.programs().run(command(target, mirror, host));
    } catch (StapesException e) {
      throw explained(e, target);
    } finally {
      unmount(host, target);
    }
    Instant now = clock.instant().truncatedTo(ChronoUnit.SECONDS);
    Path archive = context.work().resolve("debootstrap.tar.zst");
    try (Tree tree = host.tree(target, Tree.Resolution.BENEATH)) {
      neutralise(tree);
      ImageMetadata metadata = metadata(host, now, tree);
      new RootfsPacker(
              tree, Optional.empty(), path -> !UNWANTED.matcher(path).matches(), context.progress())
          .pack(archive, true, metadata);
      return new Fetched(archive, metadata);
    }
  }

  private AptSources.Mirror mirror(Host host) {
    Function<Path, Path> local = host.mounts()::local;
    String own;
    try (Tree machine = host.tree(local.apply(Path.of("/")), Tree.Resolution.IN_ROOT)) {
      own = osRelease(machine, "etc/os-release").getOrDefault("VERSION_CODENAME", "");
    }
    return AptSources.read(local)
        .mirror(suite, own, local)
        .orElseThrow(
            () ->
                new StapesException(
                    StapesException.Kind.UNAVAILABLE,
                    SUBJECT,
                    "no mirror with the component main in the machine's apt sources"
                        + " (/etc/apt/sources.list, /etc/apt/sources.list.d)"));
  }

  private Command command(Path target, AptSources.Mirror mirror, Host host) {
    // It complains on its standard output, which a host does not keep where a program fails.
    List<String> arguments = new ArrayList<>(List.of("sh", "-c", "exec \"$@\" >&2", "sh"));
    arguments.addAll(List.of("debootstrap", "--variant=minbase", "--include=systemd-sysv"));
    mirror
        .keyring()
        .filter(keyring -> Files.isRegularFile(host.mounts().local(Path.of(keyring))))
        .ifPresent(keyring -> arguments.add("--keyring=" + keyring));
    arguments.addAll(List.of(suite, target.toString(), mirror.uri()));
    Map<String, String> variables = new TreeMap<>();
    variables.put("DEBIAN_FRONTEND", "noninteractive");
    for (String proxy : PROXIES) {
      environment.apply(proxy).ifPresent(value -> variables.put(proxy, value));
    }
    return new Command(arguments, new TreeMap<>(variables), LONGEST);
  }

  /** It mounts proc and sysfs below, and leaves them there where it was killed. */
  private static void unmount(Host host, Path target) {
    boolean interrupted = Thread.interrupted();
    try {
      List<Mounts.Entry> mounts = host.mounts().below(target);
      for (int i = mounts.size() - 1; i >= 0; i--) {
        LOG.debug("unmounts {}, which debootstrap left", mounts.get(i).target());
        host.mounts().unmount(mounts.get(i).target());
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private static StapesException explained(StapesException e, Path target) {
    Path log = target.resolve("debootstrap").resolve("debootstrap.log");
    if (e.kind() != StapesException.Kind.INTERNAL
        || !Files.isRegularFile(log, LinkOption.NOFOLLOW_LINKS)) {
      return e;
    }
    try {
      if (Files.size(log) > LARGEST_LOG) {
        return e;
      }
      List<String> lines =
          new String(Files.readAllBytes(log), StandardCharsets.UTF_8).lines().toList();
      String end =
          String.join("\n", lines.subList(Math.max(0, lines.size() - LOG_LINES), lines.size()));
      return new StapesException(e.kind(), SUBJECT, e.getMessage() + "\nits log ends:\n" + end, e);
    } catch (IOException unreadable) {
      e.addSuppressed(unreadable);
      return e;
    }
  }

  /** Makes the system nobody's in particular: each copy finds an identity of its own. */
  private static void neutralise(Tree tree) {
    if (tree.stat("etc/machine-id").isPresent()) {
      replace(tree, "etc/machine-id", "");
    }
    if (tree.stat("etc/hosts").isEmpty()) {
      replace(tree, "etc/hosts", "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost\n");
    }
  }

  private static void replace(Tree tree, String path, String content) {
    tree.removeAll(path);
    try (OutputStream out = tree.create(path, 0644)) {
      out.write(content.getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw DiskError.of(SUBJECT, "cannot write " + path, e);
    }
  }

  private ImageMetadata metadata(Host host, Instant now, Tree tree) {
    Map<String, String> release = osRelease(tree, "usr/lib/os-release");
    String os = release.getOrDefault("NAME", "Debian").replace(" GNU/Linux", "");
    return ImageMetadata.container(
        host.facts().architecture(),
        now,
        Map.of(
            "os", os,
            "release", suite,
            "version", release.getOrDefault("VERSION_ID", suite),
            "variant", "minbase",
            "architecture", host.facts().architecture(),
            "serial", now.toString(),
            "description",
                String.format(Locale.ROOT, "%s %s %s", os, suite, host.facts().architecture())));
  }

  /** The shell assignments of os-release(5). */
  private static Map<String, String> osRelease(Tree tree, String path) {
    Map<String, String> values = new TreeMap<>();
    if (tree.stat(path).isEmpty()) {
      return values;
    }
    try (InputStream in = tree.read(path)) {
      String text = new String(in.readNBytes(LARGEST_RELEASE), StandardCharsets.UTF_8);
      for (String line : text.lines().toList()) {
        int equals = line.indexOf('=');
        if (equals > 0) {
          values.put(line.substring(0, equals), line.substring(equals + 1).replace("\"", ""));
        }
      }
    } catch (IOException e) {
      throw DiskError.of(SUBJECT, "cannot read " + path, e);
    }
    return values;
  }
}
