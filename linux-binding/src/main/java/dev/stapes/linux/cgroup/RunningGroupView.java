package dev.stapes.linux.cgroup;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** A group that exists, or one within it. */
final class RunningGroupView implements GroupView {
  private final CgroupLayout layout;
  private final String name;

  RunningGroupView(CgroupLayout layout, String name) {
    this.layout = layout;
    this.name = name;
  }

  @Override
  public Place place(Limit limit) {
    Controller controller = limit.controller();
    Optional<Hierarchy> hierarchy = layout.hierarchy(controller);
    if (hierarchy.isEmpty()) {
      return Place.none(
          controller == Controller.DEVICES && layout.kind() == CgroupLayout.Kind.V2
              ? "on cgroup v2 a BPF program decides, which liblxc attaches at start"
              : "the machine has no such controller");
    }
    if (!CgroupFiles.isDirectory(hierarchy.get().directory(name))) {
      return Place.none("there is no group " + hierarchy.get().directory(name));
    }
    return Place.of(hierarchy.get());
  }

  private Path file(Hierarchy hierarchy, String file) {
    return hierarchy.directory(name).resolve(file);
  }

  @Override
  public boolean has(Hierarchy hierarchy, String file) {
    return Files.exists(file(hierarchy, file));
  }

  @Override
  public Optional<String> read(Hierarchy hierarchy, String file) {
    return CgroupFiles.readIfThere(file(hierarchy, file));
  }

  @Override
  public Optional<String> readParent(Hierarchy hierarchy, String file) {
    return CgroupFiles.readIfThere(hierarchy.directory(name).resolveSibling(file));
  }

  @Override
  public boolean running() {
    return true;
  }

  @Override
  public List<String> descendants(Hierarchy hierarchy) {
    Path directory = hierarchy.directory(name);
    return CgroupFiles.descendants(directory).stream()
        .map(path -> directory.relativize(path).toString())
        .toList();
  }

  @Override
  public GroupView descendant(String within) {
    return new RunningGroupView(layout, name + "/" + within);
  }

  @Override
  public Setting setting(Limit limit, Hierarchy hierarchy, String file, String value) {
    return new Setting(limit, hierarchy, hierarchy.directory(name), file, value);
  }
}
