package dev.stapes.model;

import java.util.Optional;
import java.util.regex.Pattern;

/**
 * An image of an OCI registry, as it is asked for.
 *
 * @param registry host, with a port where it is not the usual one, such as {@code
 *     registry.example.org} or {@code localhost:5000}
 * @param repository such as {@code team/app}
 * @param tag such as {@code latest}; empty where the digest says all
 * @param digest of the manifest or index, {@code sha256:} and 64 lower-case hex digits
 * @param platform such as {@code linux/arm64} or {@code linux/arm/v7}; empty: the machine's own
 * @param login where it is given; empty: what the configuration file of docker(1) or podman(1) has
 * @param plain without TLS; a registry on this machine's loopback is always spoken to so
 */
public record OciImageSpec(
    String registry,
    String repository,
    Optional<String> tag,
    Optional<String> digest,
    Optional<String> platform,
    Optional<Login> login,
    boolean plain) {
  private static final Pattern REGISTRY =
      Pattern.compile(
          "([A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|\\[[0-9a-fA-F:]{2,45}])"
              + "(:[0-9]{1,5})?");
  private static final Pattern REPOSITORY =
      Pattern.compile("[a-z0-9]+([._-]+[a-z0-9]+)*(/[a-z0-9]+([._-]+[a-z0-9]+)*)*");
  private static final Pattern TAG = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}");
  private static final Pattern DIGEST = Pattern.compile("sha256:[0-9a-f]{64}");
  private static final Pattern PLATFORM =
      Pattern.compile("linux/[a-z0-9]{1,32}(/[a-z0-9.]{1,32})?");
  private static final int REPOSITORY_LENGTH = 255;

  /** Refuses what no registry could be asked for. */
  public OciImageSpec {
    require(REGISTRY.matcher(registry).matches(), "registry", registry);
    require(
        repository.length() <= REPOSITORY_LENGTH && REPOSITORY.matcher(repository).matches(),
        "repository",
        repository);
    tag.ifPresent(text -> require(TAG.matcher(text).matches(), "tag", text));
    digest.ifPresent(text -> require(DIGEST.matcher(text).matches(), "digest", text));
    platform.ifPresent(OciImageSpec::requirePlatform);
  }

  static void requirePlatform(String text) {
    require(PLATFORM.matcher(text).matches(), "platform", text);
  }

  private static void require(boolean right, String what, String text) {
    if (!right) {
      throw StapesException.invalid("OCI image", "no " + what + ": \"" + text + "\"");
    }
  }

  /**
   * Reads a reference such as {@code registry.example.org/team/app:1.2} or {@code
   * localhost:5000/app@sha256:...}. There is no registry that is meant where none is named. Without
   * tag and digest the tag is {@code latest}.
   *
   * @throws StapesException INVALID
   */
  public static OciImageSpec of(String reference) {
    int slash = reference.indexOf('/');
    String registry = slash < 0 ? "" : reference.substring(0, slash);
    if (!registry.equals("localhost") && !registry.contains(".") && !registry.contains(":")) {
      throw StapesException.invalid(
          "OCI image",
          "\"" + reference + "\" names no registry: write registry.example.org/name:tag");
    }
    String rest = reference.substring(slash + 1);
    int at = rest.indexOf('@');
    Optional<String> digest = at < 0 ? Optional.empty() : Optional.of(rest.substring(at + 1));
    String name = at < 0 ? rest : rest.substring(0, at);
    int colon = name.indexOf(':');
    Optional<String> tag = colon < 0 ? Optional.empty() : Optional.of(name.substring(colon + 1));
    return new OciImageSpec(
        registry,
        colon < 0 ? name : name.substring(0, colon),
        tag.isEmpty() && digest.isEmpty() ? Optional.of("latest") : tag,
        digest,
        Optional.empty(),
        Optional.empty(),
        false);
  }

  /** For another platform than the machine's own. */
  public OciImageSpec platform(String name) {
    return new OciImageSpec(registry, repository, tag, digest, Optional.of(name), login, plain);
  }

  /** As somebody. */
  public OciImageSpec login(String user, String password) {
    return new OciImageSpec(
        registry, repository, tag, digest, platform, Optional.of(new Login(user, password)), plain);
  }

  /** Without TLS. */
  public OciImageSpec withoutTls() {
    return new OciImageSpec(registry, repository, tag, digest, platform, login, true);
  }

  /** What {@link #of} reads. */
  @Override
  public String toString() {
    return registry
        + "/"
        + repository
        + tag.map(text -> ":" + text).orElse("")
        + digest.map(text -> "@" + text).orElse("");
  }

  /**
   * Who asks.
   *
   * @param user without a colon
   * @param password never shown
   */
  public record Login(String user, String password) {
    /** Refuses a user that cannot be told from the password. */
    public Login {
      if (user.indexOf(':') >= 0) {
        throw StapesException.invalid("login", "a user has no colon in the name");
      }
    }

    @Override
    public String toString() {
      return user;
    }
  }
}
