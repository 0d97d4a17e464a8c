package dev.stapes.linux.cgroup;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * One named group, in all hierarchies at once. A handle: it need not exist, and holds nothing open.
 *
 * <p>Methods throw {@link CgroupException} when the kernel refuses, unless they say otherwise.
 */
public final class Cgroup {
  private static final String PROCS = "cgroup.procs";

  private final CgroupLayout layout;
  private final String name;

  Cgroup(CgroupLayout layout, String name) {
    for (String part : name.split("/", -1)) {
      if (part.isEmpty() || part.equals(".") || part.equals("..") || part.indexOf('\0') >= 0) {
        throw new IllegalArgumentException("invalid cgroup name \"" + name + "\"");
      }
    }
    this.layout = layout;
    this.name = name;
  }

  /** Returns the name that it was asked for by. */
  public String name() {
    return name;
  }

  /** Returns its directories, in those hierarchies where it exists. */
  public List<Path> directories() {
    return layout.hierarchies().stream()
        .map(hierarchy -> hierarchy.directory(name))
        .filter(CgroupFiles::isDirectory)
        .toList();
  }

  /**
   * Returns its directory where a controller lives, whether it exists or not; nothing without the
   * controller.
   */
  public Optional<Path> directory(Controller controller) {
    return layout.hierarchy(controller).map(hierarchy -> hierarchy.directory(name));
  }

  /** Tells whether it exists in any hierarchy. */
  public boolean exists() {
    return !directories().isEmpty();
  }

  /**
   * Makes the group, with the groups it is in, in every hierarchy; where it is there already that
   * is fine. On pure v2 the controllers of the parent are turned on for it. What was made is
   * removed again if the rest fails.
   */
  public void create() {
    List<Path> made = new ArrayList<>();
    try {
      for (Hierarchy hierarchy : layout.hierarchies()) {
        create(hierarchy, made);
      }
    } catch (CgroupException e) {
      Collections.reverse(made);
      for (Path directory : made) {
        try {
          Files.deleteIfExists(directory);
        } catch (IOException left) {
          e.addSuppressed(new CgroupException("rmdir", directory, null, left));
        }
      }
      throw e;
    }
  }

  private void create(Hierarchy hierarchy, List<Path> made) {
    Path directory = hierarchy.base();
    for (String part : name.split("/")) {
      if (hierarchy.isV2() && layout.kind() == CgroupLayout.Kind.V2) {
        turnOnControllers(directory);
      }
      directory = directory.resolve(part);
      try {
        Files.createDirectory(directory);
        made.add(directory);
      } catch (FileAlreadyExistsException there) {
        continue;
      } catch (IOException e) {
        throw new CgroupException("mkdir", directory, null, e);
      }
      if (!hierarchy.isV2() && hierarchy.controllers().contains(Controller.CPUSET)) {
        // An empty cpuset takes no process; v1 fills it only where clone_children is on.
        inherit(directory, "cpuset.cpus");
        inherit(directory, "cpuset.mems");
      }
    }
  }

  private static void inherit(Path directory, String file) {
    if (CgroupFiles.readIfThere(directory.resolve(file)).filter(String::isEmpty).isPresent()) {
      CgroupFiles.write(directory.resolve(file), CgroupFiles.read(directory.resolveSibling(file)));
    }
  }

  private static void turnOnControllers(Path parent) {
    List<String> on = words(CgroupFiles.read(parent.resolve("cgroup.subtree_control")));
    String missing =
        words(CgroupFiles.read(parent.resolve("cgroup.controllers"))).stream()
            .filter(controller -> !on.contains(controller))
            .map(controller -> "+" + controller)
            .collect(Collectors.joining(" "));
    if (!missing.isEmpty()) {
      CgroupFiles.write(parent.resolve("cgroup.subtree_control"), missing);
    }
  }

  private static List<String> words(String text) {
    return Arrays.stream(text.split("\\s+")).filter(word -> !word.isEmpty()).toList();
  }

  /** Moves a process into the group, in every hierarchy where the group exists. */
  public void attach(long pid) {
    for (Path directory : directories()) {
      CgroupFiles.write(directory.resolve(PROCS), Long.toString(pid));
    }
  }

  /**
   * Returns the processes in it and in the groups within, in any hierarchy, sorted; as the reader's
   * PID namespace numbers them. None if the group does not exist.
   */
  public List<Long> processes() {
    TreeSet<Long> pids = new TreeSet<>();
    for (Path directory : directories()) {
      pids.addAll(processes(directory));
    }
    return List.copyOf(pids);
  }

  private static TreeSet<Long> processes(Path directory) {
    TreeSet<Long> pids = new TreeSet<>();
    addProcesses(directory, pids);
    CgroupFiles.descendants(directory).forEach(within -> addProcesses(within, pids));
    return pids;
  }

  private static void addProcesses(Path directory, TreeSet<Long> pids) {
    Optional<String> type = CgroupFiles.readIfThere(directory.resolve("cgroup.type"));
    if (type.isPresent() && type.get().equals("threaded")) {
      // Its processes are listed in the group above; reading here is an error.
      return;
    }
    CgroupFiles.readIfThere(directory.resolve(PROCS))
        .ifPresent(text -> words(text).forEach(pid -> pids.add(Long.valueOf(pid))));
  }

  /**
   * Returns what {@link #apply} would write to the group as it is now, and what it cannot have. The
   * group must exist where a limit is to be set, otherwise that is an unsupported one.
   */
  public LimitPlan plan(CgroupLimits limits) {
    return LimitTranslation.translate(new RunningGroupView(layout, name), limits);
  }

  /**
   * Sets limits. All or nothing: if one is unsupported nothing is written, and if the kernel
   * refuses one those before it are put back (device rules excepted, which cannot be read back).
   * cgroup v1 refuses a memory limit below what cannot be reclaimed (EBUSY); v2 takes it and kills.
   *
   * @throws UnsupportedLimitException if the group cannot have one of them
   */
  public void apply(CgroupLimits limits) {
    LimitPlan plan = plan(limits);
    if (!plan.unsupported().isEmpty()) {
      throw new UnsupportedLimitException(name, plan.unsupported());
    }
    List<Setting> undo = new ArrayList<>();
    for (Setting setting : plan.settings()) {
      try {
        Optional<Setting> before = UndoSetting.of(setting);
        CgroupFiles.write(setting.path(), setting.value());
        before.ifPresent(undo::add);
      } catch (CgroupException e) {
        putBack(undo, e);
        throw e;
      }
    }
  }

  private static void putBack(List<Setting> undo, CgroupException why) {
    Collections.reverse(undo);
    for (Setting old : undo) {
      try {
        CgroupFiles.write(old.path(), old.value());
      } catch (CgroupException left) {
        why.addSuppressed(left);
      }
    }
  }

  /** Returns what the group uses; what the machine does not tell is empty. */
  public CgroupUsage usage() {
    return UsageReader.read(layout, name);
  }

  /** Tells whether all of its processes are frozen. */
  public boolean isFrozen() {
    return GroupFreezer.of(layout, name).filter(GroupFreezer::isFrozen).isPresent();
  }

  /**
   * Stops all processes of the group where they are, and waits until they are stopped.
   *
   * @param timeout after which they are thawed again and it fails
   * @throws CgroupException too if there is no freezer here, or the group is not in it
   */
  public void freeze(Duration timeout) throws InterruptedException {
    freezer().freeze(timeout);
  }

  /** Lets the processes go on. A group that is not frozen stays so. */
  public void unfreeze() {
    freezer().thaw();
  }

  private GroupFreezer freezer() {
    return GroupFreezer.of(layout, name)
        .orElseThrow(
            () ->
                new CgroupException(
                    "freeze",
                    Path.of(name),
                    null,
                    "the group is in no hierarchy that freezes",
                    null));
  }

  /**
   * Kills every process of the group at once where the kernel offers that: {@code cgroup.kill} of
   * the unified hierarchy, Linux 5.14. Frozen ones die too.
   *
   * @return the processes left to the caller to kill, for they are in v1 hierarchies alone or the
   *     kernel is older; what has been killed may take a moment to be gone and is not among them
   */
  public List<Long> kill() {
    TreeSet<Long> left = new TreeSet<>(processes());
    Optional<Path> unified =
        layout.unified().map(each -> each.directory(name)).filter(CgroupFiles::isDirectory);
    if (unified.isPresent() && Files.exists(unified.get().resolve("cgroup.kill"))) {
      TreeSet<Long> killed = processes(unified.get());
      try {
        CgroupFiles.write(unified.get().resolve("cgroup.kill"), "1");
      } catch (CgroupException e) {
        if (Files.exists(unified.get())) {
          throw e;
        } // the last process ended meanwhile, and somebody removed the group
      }
      left.removeAll(killed);
    }
    return List.copyOf(left);
  }

  /**
   * Waits until no process is left in it, in any hierarchy.
   *
   * @return whether that came true within {@code timeout}
   */
  public boolean awaitEmpty(Duration timeout) throws InterruptedException {
    return CgroupEvents.await(this::events, () -> processes().isEmpty(), timeout);
  }

  /** Returns the file whose changes tell of processes coming and going, where the group has one. */
  private Optional<Path> events() {
    return layout
        .unified()
        .map(unified -> unified.directory(name).resolve("cgroup.events"))
        .filter(Files::exists);
  }

  /**
   * Removes the group and all groups within, in every hierarchy. What is not there is fine.
   * Processes that are about to be gone are waited for; living ones are not touched.
   *
   * @throws CgroupException too if processes are left after {@code timeout}; the message names some
   */
  public void remove(Duration timeout) throws InterruptedException {
    List<CgroupException> refused = new ArrayList<>();
    if (!CgroupEvents.await(this::events, () -> removeOnce(refused), timeout)) {
      CgroupException last = refused.get(0);
      String who =
          processes().stream().limit(5).map(String::valueOf).collect(Collectors.joining(", "));
      String why =
          last.reason() + ", after " + timeout + (who.isEmpty() ? "" : " with processes " + who);
      throw new CgroupException("rmdir", Path.of(last.path()), null, why, last);
    }
  }

  /**
   * Removes the group in every hierarchy where it has neither processes nor groups within, without
   * a look at it first: one call each. What is not there is fine.
   *
   * @return whether nothing of it is left
   */
  public boolean removeIfEmpty() {
    for (Hierarchy hierarchy : layout.hierarchies()) {
      if (!CgroupFiles.removeIfEmpty(hierarchy.directory(name))) {
        return false; // busy, as a rule, and then so it is in the others
      }
    }
    return true;
  }

  /** Tells whether nothing is left; why something is left is put in the list. */
  private boolean removeOnce(List<CgroupException> refused) {
    refused.clear();
    List<Hierarchy> unifiedLast = new ArrayList<>(layout.hierarchies());
    // Its events are what tells when the others can go.
    unifiedLast.sort(Comparator.comparing(Hierarchy::version));
    for (Hierarchy hierarchy : unifiedLast) {
      Path directory = hierarchy.directory(name);
      if (CgroupFiles.isDirectory(directory)) {
        List<Path> deepestFirst = new ArrayList<>(CgroupFiles.descendants(directory));
        Collections.reverse(deepestFirst);
        deepestFirst.add(directory);
        deepestFirst.forEach(each -> removeDirectory(each, refused));
      }
    }
    return refused.isEmpty();
  }

  /** What is refused is tried again until the time is over: nearly always it is EBUSY. */
  private static void removeDirectory(Path directory, List<CgroupException> refused) {
    try {
      Files.deleteIfExists(directory);
    } catch (IOException e) {
      refused.add(new CgroupException("rmdir", directory, null, e));
    }
  }

  @Override
  public String toString() {
    return name;
  }
}
