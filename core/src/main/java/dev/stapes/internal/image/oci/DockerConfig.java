package dev.stapes.internal.image.oci;

import com.fasterxml.jackson.databind.JsonNode;
import dev.stapes.model.OciImageSpec.Login;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Command;
import dev.stapes.spi.Host;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The logins that docker(1) and podman(1) keep, containers-auth.json(5): {@code
 * REGISTRY_AUTH_FILE}, {@code $XDG_RUNTIME_DIR/containers/auth.json}, {@code
 * $DOCKER_CONFIG/config.json} or {@code ~/.docker/config.json}, the first that has one for a
 * registry; in the file, or behind a credential helper.
 */
final class DockerConfig {
  private static final long LARGEST = 1 << 20;

  private final Host host;
  private final Function<String, @Nullable String> environment;

  DockerConfig(Host host, Function<String, @Nullable String> environment) {
    this.host = host;
    this.environment = environment;
  }

  /**
   * The login for a registry.
   *
   * @throws StapesException INVALID for a file that cannot be read; UNAVAILABLE, INTERNAL where its
   *     helper is missing or fails
   */
  Optional<Login> login(String registry) {
    for (Path file : files()) {
      if (Files.isRegularFile(file)) {
        Optional<Login> found = login(registry, file);
        if (found.isPresent()) {
          return found;
        }
      }
    }
    return Optional.empty();
  }

  private List<Path> files() {
    List<Path> files = new ArrayList<>();
    add(files, "REGISTRY_AUTH_FILE", "");
    add(files, "XDG_RUNTIME_DIR", "containers/auth.json");
    int before = files.size();
    add(files, "DOCKER_CONFIG", "config.json");
    if (files.size() == before) {
      add(files, "HOME", ".docker/config.json");
    }
    return files;
  }

  private void add(List<Path> files, String variable, String below) {
    String value = environment.apply(variable);
    if (value != null && !value.isEmpty()) {
      files.add(Path.of(value).resolve(below));
    }
  }

  private Optional<Login> login(String registry, Path file) {
    String subject = "logins in " + file;
    JsonNode config = Json.object(read(file, subject), subject);
    Optional<String> helper =
        Json.text(config.path("credHelpers").path(registry))
            .or(() -> Json.text(config.path("credsStore")));
    if (helper.isPresent()) {
      return ask(helper.get(), registry, subject);
    }
    for (Map.Entry<String, JsonNode> each : config.path("auths").properties()) {
      if (registry(each.getKey()).equals(registry)) {
        return login(each.getValue(), subject);
      }
    }
    return Optional.empty();
  }

  private static byte[] read(Path file, String subject) {
    try {
      if (Files.size(file) > LARGEST) {
        throw StapesException.invalid(subject, "have more than " + LARGEST + " bytes");
      }
      return Files.readAllBytes(file);
    } catch (IOException e) {
      throw new StapesException(Kind.INVALID, subject, "cannot be read: " + e, e);
    }
  }

  /** Old entries are addresses. */
  private static String registry(String key) {
    String host = key.replaceFirst("^https?://", "");
    int slash = host.indexOf('/');
    return slash < 0 ? host : host.substring(0, slash);
  }

  private static Optional<Login> login(JsonNode entry, String subject) {
    Optional<String> both = Json.text(entry.path("auth")).filter(text -> !text.isEmpty());
    if (both.isEmpty()) {
      if (!entry.path("identitytoken").isMissingNode()) {
        throw new StapesException(
            Kind.UNSUPPORTED, subject, "have an identity token: use a name and a password");
      }
      return Optional.empty();
    }
    try {
      String text = new String(Base64.getDecoder().decode(both.get()), StandardCharsets.UTF_8);
      int colon = text.indexOf(':');
      if (colon > 0) {
        return Optional.of(new Login(text.substring(0, colon), text.substring(colon + 1)));
      }
    } catch (IllegalArgumentException e) {
      throw new StapesException(Kind.INVALID, subject, "have an \"auth\" that is no base64", e);
    }
    throw StapesException.invalid(subject, "have an \"auth\" without a name and a password");
  }

  /** Asks a credential helper; its answer never becomes part of an error. */
  private Optional<Login> ask(String helper, String registry, String subject) {
    if (!helper.matches("[A-Za-z0-9][A-Za-z0-9_.-]*")) {
      throw StapesException.invalid(subject, "name no helper but \"" + helper + "\"");
    }
    String program = "docker-credential-" + helper;
    if (host.programs().find(program).isEmpty()) {
      throw new StapesException(
          Kind.UNAVAILABLE, subject, "need the program " + program + ", which is not installed");
    }
    Command command =
        Command.of("sh", "-c", "printf %s \"$REGISTRY\" | " + program + " get")
            .environment(Map.of("REGISTRY", registry));
    byte[] answer = host.programs().run(command).stdout().getBytes(StandardCharsets.UTF_8);
    JsonNode found = Json.object(answer, "answer of " + program);
    Optional<String> user = Json.text(found.path("Username"));
    Optional<String> secret = Json.text(found.path("Secret"));
    if (user.isPresent() && user.get().equals("<token>")) {
      throw new StapesException(
          Kind.UNSUPPORTED, subject, "have an identity token: use a name and a password");
    }
    return user.flatMap(name -> secret.map(password -> new Login(name, password)));
  }
}
