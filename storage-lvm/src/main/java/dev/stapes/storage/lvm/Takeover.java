package dev.stapes.storage.lvm;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Undo;
import dev.stapes.spi.VolumeId;
import dev.stapes.storage.lvm.LvmClusterProvider.Other;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What others have in a pool that machines share, and how a volume of theirs becomes one here. */
final class Takeover {
  private static final Logger LOG = LoggerFactory.getLogger(Takeover.class);

  /** Only a takeover asks for these. */
  private static final String ORIGINS = "vg_name,lv_name,lv_tags,origin";

  private final PoolVolumes own;
  private final List<LvmRow> rows;
  private final PoolContent content;

  /**
   * Reads what there is in a pool.
   *
   * @param own this machine's
   */
  Takeover(PoolVolumes own) {
    this.own = own;
    this.rows = own.lvm().volumes(PoolContent.FIELDS, own.group());
    this.content = own.lvm().read(() -> PoolContent.of(own, rows));
  }

  /** All that have volumes. */
  List<Other> others() {
    List<Other> all = new ArrayList<>();
    for (String owner : owners()) {
      Set<VolumeId> volumes =
          volumes(owner).stream().map(ThinVolume::id).collect(Collectors.toSet());
      all.add(new Other(owner, place(owner), volumes));
    }
    return all;
  }

  private Set<String> owners() {
    Set<String> all =
        own.lvm()
            .read(
                () -> {
                  Set<String> owners = new TreeSet<>();
                  for (LvmRow row : rows) {
                    VolumeTags.owner(row).ifPresent(owners::add);
                  }
                  return owners;
                });
    all.remove(own.sharer().orElseThrow().owner());
    return all;
  }

  private Optional<String> place(String owner) {
    return content.placements().stream()
        .filter(one -> one.sharer().map(Sharer::owner).equals(Optional.of(owner)))
        .map(one -> one.sharer().orElseThrow().machine() + ":" + one.directory())
        .findFirst();
  }

  private PoolVolumes of(String owner) {
    return own.of(new Sharer(own.sharer().orElseThrow().machine(), owner));
  }

  private List<ThinVolume> volumes(String owner) {
    return own.lvm().read(() -> PoolContent.of(of(owner), rows)).volumes();
  }

  /**
   * Takes one over. One at a time, as LVM does not tell users of one machine apart; what was read
   * before the volume was activated is read again, as that may take its time.
   *
   * @see LvmClusterProvider#takeOver
   */
  void take(String owner, VolumeId theirs, VolumeId ours) {
    synchronized (Takeover.class) {
      ThinVolume volume = find(owner, theirs, ours);
      requireIdle(volume);
      own.activate(volume.name());
      try {
        Takeover now = new Takeover(own);
        if (!now.find(owner, theirs, ours).name().equals(volume.name())) {
          throw new StapesException(Kind.BUSY, volume.subject(), "it is another one by now");
        }
        now.removeMoments(owner, volume.name());
        now.forgetFormer(volume);
        own.takeOver(now.row(volume.name()), theirs, ours, find(now.content.volumes(), ours));
      } catch (RuntimeException e) {
        Undo.after(e, () -> own.deactivate(List.of(volume.name())));
        throw e;
      }
      letGo(volume.name());
    }
  }

  /** What somebody uses stays; a takeover that was killed has left it active without that. */
  private void requireIdle(ThinVolume volume) {
    if (own.lvm().read(() -> row(volume.name()).text("lv_active")).isEmpty()) {
      return;
    }
    try {
      own.deactivate(List.of(volume.name()));
    } catch (StapesException e) {
      throw new StapesException(e.kind(), volume.subject(), "this machine has it active", e);
    }
  }

  /**
   * Of a copy that was under way when its machine died the snapshot is left, which keeps a volume
   * from growing. The volume is active here: nobody makes another one.
   */
  private void removeMoments(String owner, String volume) {
    PoolVolumes theirs = of(owner);
    List<LvmRow> all = own.lvm().volumes(ORIGINS, own.group());
    theirs.remove(
        own.lvm()
            .read(
                () -> {
                  List<String> moments = new ArrayList<>();
                  for (LvmRow row : all) {
                    boolean left = theirs.has(row) && VolumeTags.isMoment(row);
                    if (left && row.text("origin").equals(volume)) {
                      moments.add(row.text("lv_name"));
                    }
                  }
                  return moments;
                }));
  }

  private ThinVolume find(String owner, VolumeId theirs, VolumeId ours) {
    ThinVolume volume =
        find(volumes(owner), theirs)
            .orElseThrow(() -> StapesException.notFound("volume " + theirs + " of " + owner));
    find(content.volumes(), ours).ifPresent(old -> requireAlike(volume, old));
    return volume;
  }

  /**
   * What the volume stands for at its owner's is trash because it says so, and would be a volume
   * again without that.
   */
  private void forgetFormer(ThinVolume volume) {
    own.lvm()
        .read(() -> VolumeTags.replaced(row(volume.name())))
        .filter(former -> find(former).isPresent())
        .ifPresent(former -> own.throwAway(former, volume.id()));
  }

  /** Also on an interrupted thread. */
  private void letGo(String volume) {
    boolean interrupted = Thread.interrupted();
    try {
      own.deactivate(List.of(volume));
    } catch (StapesException e) {
      LOG.debug("{} stays active", volume, e);
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private static Optional<ThinVolume> find(List<ThinVolume> volumes, VolumeId id) {
    return volumes.stream().filter(volume -> volume.id().equals(id)).findFirst();
  }

  private void requireAlike(ThinVolume volume, ThinVolume old) {
    if (content.active().contains(old.name())) {
      throw new StapesException(Kind.BUSY, old.subject(), "somebody uses it");
    }
    boolean files = volume.format().isPresent() == old.format().isPresent();
    if (!files || volume.readOnly() != old.readOnly()) {
      throw StapesException.invalid(
          old.subject(),
          "is of another kind, by its files or as it is read-only, than " + volume.subject());
    }
  }

  private LvmRow row(String name) {
    return find(name).orElseThrow(() -> StapesException.notFound("logical volume " + name));
  }

  private Optional<LvmRow> find(String name) {
    return own.lvm()
        .read(
            () -> {
              for (LvmRow row : rows) {
                if (row.text("lv_name").equals(name)) {
                  return Optional.of(row);
                }
              }
              return Optional.<LvmRow>empty();
            });
  }
}
