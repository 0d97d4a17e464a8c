package dev.stapes.benchmarks.lifecycle;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.stapes.benchmarks.Limit;
import dev.stapes.benchmarks.Place;
import dev.stapes.benchmarks.Tool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/** runc, with {@code btrfs} for the root file systems, which it does not keep itself. */
final class Runc implements Subject {
  private static final String NO_STORAGE = "keeps no root file systems";

  private final ToolPool pool;
  private final Path bundles;
  private final Tool runc;
  private final ObjectMapper json = new ObjectMapper();
  private final ObjectNode spec;

  /**
   * @param directory a directory of its own
   */
  Runc(ToolPool pool, Path directory, Place place) throws IOException, InterruptedException {
    this.pool = pool;
    this.bundles = Files.createDirectory(directory.resolve("bundles"));
    String state = directory.resolve("state").toString();
    this.runc = place.tool(place.need("runc", "runc"), "--root", state);
    runc.run("spec", "--bundle", directory.toString());
    this.spec = (ObjectNode) json.readTree(directory.resolve("config.json").toFile());
    complete();
  }

  /** What {@code runc spec} writes, made unprivileged and limited. */
  private void complete() {
    ObjectNode process = spec.withObject("/process");
    process.put("terminal", false);
    process.putArray("args").add("/sbin/init");
    spec.withObject("/root").put("readonly", false);
    ObjectNode linux = spec.withObject("/linux");
    ArrayNode namespaces = (ArrayNode) linux.get("namespaces");
    namespaces.addObject().put("type", "user");
    for (String kind : List.of("uidMappings", "gidMappings")) {
      linux
          .putArray(kind)
          .addObject()
          .put("containerID", 0)
          .put("hostID", Limit.FIRST_ID)
          .put("size", Limit.IDS);
    }
    ObjectNode resources = linux.withObject("/resources");
    resources.putObject("memory").put("limit", Limit.MEMORY);
    resources.putObject("pids").put("limit", Limit.PROCESSES);
    ObjectNode seccomp = linux.putObject("seccomp");
    seccomp.put("defaultAction", "SCMP_ACT_ALLOW");
    ObjectNode rule = seccomp.putArray("syscalls").addObject();
    rule.put("action", "SCMP_ACT_ERRNO");
    ArrayNode names = rule.putArray("names");
    List.of("kexec_load", "open_by_handle_at", "init_module", "finit_module", "delete_module")
        .forEach(names::add);
  }

  @Override
  public String name() {
    return "runc";
  }

  @Override
  public Map<LifecyclePath, String> leftOut() {
    Map<LifecyclePath, String> left = new EnumMap<>(LifecyclePath.class);
    left.put(LifecyclePath.CYCLE_WARM_POOL, "has no warm pool");
    left.put(LifecyclePath.SNAPSHOT, NO_STORAGE);
    left.put(LifecyclePath.CLONE, NO_STORAGE);
    left.put(LifecyclePath.RESTORE_RUNNING, NO_STORAGE);
    left.put(LifecyclePath.RESTORE_STOPPED, NO_STORAGE);
    return left;
  }

  @Override
  public Container create(String name) throws IOException, InterruptedException {
    Bundle bundle = new Bundle(name);
    pool.snapshot(pool.shiftedImage(), bundle.root(), false);
    Files.createDirectory(bundle.directory());
    ObjectNode own = spec.deepCopy();
    own.withObject("/root").put("path", bundle.root().toString());
    own.withObject("/linux").put("cgroupsPath", "/" + name);
    json.writeValue(bundle.directory().resolve("config.json").toFile(), own);
    return bundle;
  }

  /** Ends what still runs; each container is gone otherwise. */
  @Override
  public void close() throws IOException, InterruptedException {
    try (var left = Files.newDirectoryStream(bundles)) {
      for (Path bundle : left) {
        new Bundle(bundle.getFileName().toString()).delete();
      }
    }
  }

  private final class Bundle implements Container {
    private final String name;

    Bundle(String name) {
      this.name = name;
    }

    private Path root() {
      return pool.path(name);
    }

    private Path directory() {
      return bundles.resolve(name);
    }

    @Override
    public void start() throws IOException, InterruptedException {
      String bundle = directory().toString();
      runc.runDetached(directory().resolve("out"), "run", "--detach", "--bundle", bundle, name);
    }

    @Override
    public void execTrue() throws IOException, InterruptedException {
      runc.run("exec", name, "true");
    }

    /** It has no stopped ones; what is left is the bundle. */
    @Override
    public void stop() throws IOException, InterruptedException {
      runc.run("delete", "--force", name);
    }

    @Override
    public void delete() throws IOException, InterruptedException {
      stop();
      pool.delete(root());
      LxcFiles.delete(directory());
    }
  }
}
