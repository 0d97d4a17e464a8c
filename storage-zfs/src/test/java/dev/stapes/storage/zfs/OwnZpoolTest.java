package dev.stapes.storage.zfs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.PoolSpec;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.testkit.FakeHost;
import dev.stapes.testkit.FakeProgram;
import dev.stapes.testkit.HostLeftovers;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is left of a zpool on a device that somebody uses when it is removed. */
class OwnZpoolTest {
  private static final Path DEVICE = Path.of("/dev/none");

  @TempDir Path directory;

  private final PoolMark mark = PoolMark.fresh(new DatasetName("z/stapes"));
  private boolean there;
  private boolean used;
  private boolean blank;
  private boolean dies;
  private boolean refuses;
  private OwnZpool zpool;
  private PoolContext pool;

  @BeforeEach
  void make() {
    FakeHost host =
        FakeHost.builder()
            .program("zfs", FakeProgram.printing(mark.id() + "\n"))
            .program("zpool", this::zpool)
            .build();
    pool =
        new PoolContext(
            host, PoolSpec.of("p", "zfs").source(DEVICE.toString()), directory, directory);
    zpool = new OwnZpool(pool, new Device(), new Zfs(pool));
    mark.write(pool);
  }

  private int zpool(FakeProgram.Call call) throws Exception {
    String arguments = String.join(" ", call.arguments().subList(1, call.arguments().size()));
    switch (arguments) {
      case "list -H -p -o name z" -> {
        if (!there) {
          return complaint(call, "cannot open 'z': no such pool");
        }
        call.print("z\n");
      }
      case "list -v -H -P -L z", "list -v -H -P -L" ->
          call.print(there ? "z\t1\n\t" + DEVICE + "\t1\n" : "");
      case "destroy z" -> {
        if (refuses) {
          return complaint(call, "cannot destroy 'z': pool is busy");
        }
        there = false;
      }
      case "import -d /dev/none", "import -N -o cachefile=none -d /dev/none z" -> {
        return complaint(call, "no pools available to import");
      }
      default -> throw new AssertionError(arguments);
    }
    return 0;
  }

  private static int complaint(FakeProgram.Call call, String text) throws Exception {
    call.stderr().write((text + "\n").getBytes(StandardCharsets.UTF_8));
    return 1;
  }

  /** What nobody catches, as a process that is killed does not. */
  private static final class Death extends Error {
    private static final long serialVersionUID = 1L;
  }

  /** A device that somebody may have claimed. */
  private final class Device implements Vdev {
    @Override
    public Path path() {
      return DEVICE;
    }

    @Override
    public void check() {
      // it is blank
    }

    @Override
    public void prepare() {
      // nothing to do
    }

    @Override
    public boolean isInDirectory() {
      return false;
    }

    @Override
    public boolean isPartOf(Path part) {
      return part.equals(DEVICE);
    }

    @Override
    public void requireRoom() {
      // there is
    }

    @Override
    public void require() {
      // it is there
    }

    @Override
    public void clear() {
      if (dies) {
        throw new Death();
      }
      if (used) {
        throw pool.failure(Kind.BUSY, "somebody uses it");
      }
      blank = true;
    }

    @Override
    public Optional<Backing.Resize> resize() {
      return Optional.empty();
    }
  }

  @Test
  void a_device_whose_zpool_was_destroyed_is_cleared_when_nobody_uses_it_any_more() {
    there = true;
    used = true;
    for (int n = 0; n < 3; n++) {
      StapesException error = assertThrows(StapesException.class, zpool::remove);
      assertEquals(Kind.BUSY, error.kind(), error::toString);
      assertEquals(mark.root(), zpool.root());
    }
    used = false;
    zpool.remove();
    assertTrue(blank);
    assertEquals(Set.of(), HostLeftovers.filesBelow(directory));
  }

  @Test
  void a_device_on_which_no_zpool_was_made_is_left_to_who_uses_it() {
    used = true;
    zpool.sweep();
    assertEquals(Set.of(), HostLeftovers.filesBelow(directory));
  }

  @Test
  void a_removal_that_dies_when_the_zpool_is_destroyed_does_not_forget_the_device() {
    there = true;
    dies = true;
    assertThrows(Death.class, zpool::remove);
    dies = false;
    used = true;
    for (int n = 0; n < 2; n++) {
      StapesException error = assertThrows(StapesException.class, zpool::sweep);
      assertEquals(Kind.BUSY, error.kind(), error::toString);
    }
    used = false;
    zpool.sweep();
    assertTrue(blank);
    assertEquals(Set.of(), HostLeftovers.filesBelow(directory));
  }

  @Test
  void a_zpool_that_could_not_be_destroyed_is_used_on_and_destroyed_later() {
    there = true;
    refuses = true;
    StapesException error = assertThrows(StapesException.class, zpool::remove);
    assertEquals(Kind.BUSY, error.kind(), error::toString);
    assertFalse(blank);
    zpool.open();
    assertEquals(mark.root(), zpool.root());
    refuses = false;
    zpool.remove();
    assertTrue(blank);
    assertEquals(Set.of(), HostLeftovers.filesBelow(directory));
  }

  @Test
  void a_copy_of_the_directory_is_known_as_one_also_when_a_removal_was_begun(@TempDir Path copy)
      throws IOException {
    Files.copy(directory.resolve("zpool"), copy.resolve("zpool"));
    mark.writeDestroyed(pool);
    assertTrue(PoolMark.read(pool).isIn(pool, copy));
    assertTrue(mark.isIn(pool, directory));
  }
}
