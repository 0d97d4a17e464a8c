package dev.stapes.testkit.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Pool;
import dev.stapes.Stapes;
import dev.stapes.Volume;
import dev.stapes.model.Progress;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.model.VolumeSnapshotInfo;
import dev.stapes.model.VolumeSpec;
import dev.stapes.testkit.Faults;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Backups of custom volumes: whole ones come back, others leave nothing. */
class EngineVolumeBackupTest {
  @TempDir Path directory;

  private static Pool pool(Stapes stapes) {
    return stapes.pools().byDefault();
  }

  private static Volume data(EngineWorld world) {
    Volume data =
        pool(world.stapes())
            .volumes()
            .create(VolumeSpec.of("data").description("shop").config("user.a", "1"));
    data.snapshots().create("a");
    data.snapshots().create("b");
    return data;
  }

  private Path backup(byte[] bytes) throws IOException {
    return Files.write(directory.resolve("backup"), bytes);
  }

  private static byte[] export(Volume volume) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    volume.export(out);
    return out.toByteArray();
  }

  @Test
  void a_backup_comes_back_with_config_and_snapshots() throws IOException {
    try (EngineWorld world = EngineWorld.create()) {
      Volume data = data(world);
      Path file = backup(export(data));
      Volume again =
          pool(world.stapes()).volumes().importFrom(file, Optional.of("again"), Progress.NONE);
      assertEquals("shop", again.info().description());
      assertEquals(Optional.of("1"), again.info().config().text("user.a"));
      assertEquals(
          data.snapshots().list().stream().map(VolumeSnapshotInfo::createdAt).toList(),
          again.snapshots().list().stream().map(VolumeSnapshotInfo::createdAt).toList());
      assertEquals(
          List.of("a", "b"),
          again.snapshots().list().stream().map(VolumeSnapshotInfo::name).toList());
      assertEquals(
          Kind.CONFLICT,
          assertThrows(StapesException.class, () -> pool(world.stapes()).volumes().importFrom(file))
              .kind());
    }
  }

  @Test
  void a_backup_that_was_cut_or_changed_leaves_nothing() throws IOException {
    try (EngineWorld world = EngineWorld.create()) {
      Volume data = data(world);
      byte[] whole = export(data);
      data.delete();
      world.reopen();
      String before = world.picture().toString();
      for (int length : List.of(0, 1, 47, whole.length / 2, whole.length - 1)) {
        refused(world, Arrays.copyOf(whole, length), "checksum is missing");
      }
      for (int at : List.of(0, 40, whole.length / 2, whole.length - 1)) {
        byte[] changed = whole.clone();
        changed[at] ^= 1;
        refused(world, changed, "checksum is wrong");
      }
      world.reopen();
      assertEquals(before, world.picture().toString());
    }
  }

  private void refused(EngineWorld world, byte[] bytes, String why) throws IOException {
    Path file = backup(bytes);
    StapesException error =
        assertThrows(StapesException.class, () -> pool(world.stapes()).volumes().importFrom(file));
    assertEquals(Kind.INVALID, error.kind());
    assertTrue(error.toString().contains(why), error::toString);
  }

  @Test
  void a_stream_that_breaks_is_an_error_and_leaves_nothing() {
    try (EngineWorld world = EngineWorld.create()) {
      data(world);
      world.reopen();
      String before = world.picture().toString();
      OutputStream broken =
          new OutputStream() {
            @Override
            public void write(int value) throws IOException {
              throw new IOException("Broken pipe");
            }
          };
      Volume again = pool(world.stapes()).volumes().get("data");
      StapesException error = assertThrows(StapesException.class, () -> again.export(broken));
      assertEquals(Kind.UNAVAILABLE, error.kind());
      world.stapes().close();
      assertEquals(before, world.picture().toString());
    }
  }

  @Test
  void an_export_and_an_import_of_which_any_effect_fails_leave_nothing() throws Exception {
    Path file;
    try (EngineWorld world = EngineWorld.create(new Faults(), EngineWorld.Setup.usual())) {
      file = backup(export(data(world)));
    }
    assertTrue(
        EngineScenario.of(world -> {}, stapes -> pool(stapes).volumes().importFrom(file))
                .forEveryEffect()
            > 0);
    assertTrue(
        EngineScenario.of(
                    EngineVolumeBackupTest::data,
                    stapes ->
                        pool(stapes).volumes().get("data").export(OutputStream.nullOutputStream()))
                .forEveryEffect()
            > 0);
  }
}
