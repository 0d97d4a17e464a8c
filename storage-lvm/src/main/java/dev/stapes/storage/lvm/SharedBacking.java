package dev.stapes.storage.lvm;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Command;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A volume group that several machines have, see lvmlockd(8): of the pool in it each has a
 * directory, with volumes of its own. Who leaves removes these; the last one removes the pool.
 */
final class SharedBacking implements Backing {
  /** Of the one that bears the mark. */
  static final String MARK = "stapes_pool";

  private static final String LOCK_TYPE = "sanlock";
  private static final List<LvmRow> NONE = List.of();

  private final PoolContext pool;
  private final String group;
  private final String owner;

  /** What the group is made of; empty: it is there. */
  private final Optional<DeviceBacking> device;

  private final Optional<Path> path;

  /**
   * In a group.
   *
   * @param group a name that was checked
   * @param owner see {@link Sharer}
   * @param path of a block device that the group is made of; empty: it is there
   */
  SharedBacking(PoolContext pool, String group, String owner, Optional<Path> path) {
    this.pool = pool;
    this.group = group;
    this.owner = owner;
    this.path = path;
    this.device = path.map(made -> new DeviceBacking(pool, made));
  }

  @Override
  public void requireFree() {
    if (device.isPresent()) {
      device.get().requireFree();
      return;
    }
    Optional<PoolContent> there = find();
    if (there.isEmpty()) {
      Spaces.requireRoom(pool, attach().group(group), attach().group(group).free());
      return;
    }
    requireHere(mark(there.get()), there.get());
  }

  /** One directory of a machine has the pool: the locks are between machines. */
  private void requireHere(String mark, PoolContent content) {
    Optional<Path> other = new PoolMark(pool).elsewhere(mark, content);
    if (other.isPresent()) {
      throw pool.failure(
          Kind.CONFLICT, "this machine has the pool of " + group + " already, in " + other.get());
    }
  }

  /** The mark of the pool that other machines have made in the group, if any. */
  Optional<String> markThere() {
    return device.isPresent() ? Optional.empty() : find().map(SharedBacking::mark);
  }

  /** The pool that other machines have made in the group, if any. */
  Optional<PoolContent> find() {
    Lvm lvm = attach();
    requireShared(lvm);
    Sharer here = new Sharer(machine(), owner);
    List<LvmRow> rows = lvm.volumes(PoolContent.FIELDS, group);
    return lvm.read(
        () -> {
          for (LvmRow row : rows) {
            Optional<String> mark = VolumeTags.mark(row);
            if (row.text("lv_name").equals(MARK) && mark.isPresent()) {
              PoolVolumes found = PoolVolumes.shared(lvm, group, MARK, mark.get(), here);
              return Optional.of(PoolContent.of(found, rows));
            }
          }
          return Optional.<PoolContent>empty();
        });
  }

  /** The one with a mark, whose volumes are this machine's. */
  Optional<PoolContent> find(String mark) {
    Optional<PoolContent> found = find().filter(content -> mark(content).equals(mark));
    found.ifPresent(this::requireThisMachine);
    return found;
  }

  /**
   * The same.
   *
   * @throws StapesException UNAVAILABLE where there is none
   */
  PoolContent require(String mark) {
    return find(mark)
        .orElseThrow(
            () ->
                pool.failure(
                    Kind.UNAVAILABLE,
                    "it is gone: no logical volume with the tag " + VolumeTags.pool(mark)));
  }

  /** The disk of a machine can be copied to another one, whose number is another one. */
  private void requireThisMachine(PoolContent content) {
    for (Placement place : content.placements()) {
      boolean own = place.sharer().map(Sharer::owner).equals(Optional.of(owner));
      if (own && !place.isOf(content.pool().sharer())) {
        throw pool.failure(
            Kind.UNAVAILABLE,
            "its volumes are those of machine "
                + place.sharer().orElseThrow().machine()
                + ", which has it in "
                + place.directory()
                + "; where that is this one, with another number now: lvchange --deltag '"
                + place.tag()
                + "' "
                + content.pool().path(MARK));
      }
    }
  }

  static String mark(PoolContent content) {
    return VolumeTags.markOf(content.pool().member().orElseThrow());
  }

  private void requireShared(Lvm lvm) {
    List<LvmRow> rows = lvm.groups("vg_lock_type", group);
    String type = lvm.read(() -> LvmReport.only(rows).text("vg_lock_type"));
    if (!type.equals(LOCK_TYPE)) {
      throw StapesException.invalid(
          pool.subject(),
          "the volume group has the lock type \""
              + type
              + "\", but must have \"sanlock\": vgchange --lock-type sanlock "
              + group);
    }
  }

  /** The number of this machine, by which no two that share the group are the same. */
  private int machine() {
    String status = pool.host().programs().run(Command.of("sanlock", "client", "status")).stdout();
    return machine(status, group)
        .orElseThrow(
            () ->
                pool.failure(
                    Kind.UNAVAILABLE,
                    "the locks of the volume group are not started on this machine: vgchange"
                        + " --lockstart "
                        + group));
  }

  /** Of what {@code sanlock client status} says of the lockspace of a group. */
  static Optional<Integer> machine(String status, String group) {
    Matcher line =
        Pattern.compile("(?m)^s lvm_" + Pattern.quote(group) + ":(\\d{1,4}):").matcher(status);
    return line.find() ? Optional.of(Integer.valueOf(line.group(1))) : Optional.empty();
  }

  /** Where others have made it, also just now, this machine comes in. */
  @Override
  public PoolVolumes create(String mark) {
    Lvm lvm = attach();
    if (path.isPresent()) {
      lvm.run(
          "vgcreate",
          "--shared",
          "--setautoactivation",
          "n",
          "--addtag",
          VolumeTags.group(mark),
          group,
          path.get().toString());
    }
    Optional<PoolContent> there = find();
    if (there.isPresent()) {
      return comeIn(there.get());
    }
    PoolVolumes made = PoolVolumes.shared(lvm, group, MARK, mark, new Sharer(machine(), owner));
    try {
      PlainVolumes.sharedMark(made, mark, PoolMark.absolute(pool.directory()), lvm.group(group));
      return made;
    } catch (StapesException e) {
      if (e.kind() != Kind.CONFLICT) {
        throw e;
      }
      return comeIn(find().orElseThrow(() -> e));
    }
  }

  private PoolVolumes comeIn(PoolContent content) {
    PoolMark file = new PoolMark(pool);
    String mark = mark(content);
    file.write(mark, owner); // who was quicker has given it another one
    file.requireOriginal(mark, content);
    return content.pool();
  }

  @Override
  public void sweep(String mark) {
    unlessGone(() -> find(mark), Optional.<PoolContent>empty())
        .ifPresent(content -> requireHere(mark, content));
    leave(mark);
  }

  /** The last one removes the pool, and the group where it was made of its device. */
  private void leave(String mark) {
    unlessGone(() -> find(mark), Optional.<PoolContent>empty()).ifPresent(this::leave);
    if (device.isPresent()
        && unlessGone(() -> attach().volumes("lv_name", group), NONE).isEmpty()) {
      OwnGroup.sweep(attach(), mark);
      device.get().wipeIfSpare();
    }
  }

  /** What others have left of theirs, and their directories, stay. */
  private void leave(PoolContent content) {
    PoolVolumes own = content.pool();
    own.removeAll();
    for (Placement placement : content.placements()) { // of a directory that was moved, too
      if (placement.sharer().equals(own.sharer())) {
        own.leave(placement);
      }
    }
    own.removeMark(mark(content));
  }

  private static <T> T unlessGone(Supplier<T> look, T otherwise) {
    try {
      return look.get();
    } catch (StapesException e) {
      if (e.kind() == Kind.NOT_FOUND) {
        return otherwise;
      }
      throw e;
    }
  }

  /** The pool's directory is told by its mark. */
  @Override
  public void requireOwn(PoolVolumes volumes) {
    // nothing to compare
  }

  @Override
  public boolean isInDirectory() {
    return false;
  }

  /** Its devices are those that the machine's configuration allows. */
  @Override
  public Lvm attach() {
    return pool.lvm(Optional.empty());
  }

  @Override
  public void detach() {
    // Its devices are there by themselves.
  }

  @Override
  public void remove(PoolVolumes volumes) {
    leave(VolumeTags.markOf(volumes.member().orElseThrow()));
  }

  /** Volumes have all of the group already, and its owner makes that larger. */
  @Override
  public Optional<Resize> resize() {
    return Optional.empty();
  }

  @Override
  public Optional<Growth> growth() {
    return Optional.empty();
  }
}
