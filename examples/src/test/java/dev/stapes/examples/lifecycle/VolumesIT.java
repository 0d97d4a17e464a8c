package dev.stapes.examples.lifecycle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Delete;
import dev.stapes.Instance;
import dev.stapes.Pool;
import dev.stapes.Volume;
import dev.stapes.model.Device;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.Progress;
import dev.stapes.model.Size;
import dev.stapes.model.SnapshotGroup;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.model.VolumeCopySpec;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Custom volumes of real pools, in real containers. */
@RequiresRoot
@RequiresTool("lxc-start")
@RequiresTool("busybox")
@RequiresTool("mkfs.btrfs")
@RequiresKernel("btrfs")
class VolumesIT {
  @RegisterExtension static final Workbench BENCH = new Workbench("btrfs");

  /** Of everything that a tree can hold and a copy is to keep. */
  private static final String FILL =
      """
      cd /v; mkdir -p dev deep/er; echo one > deep/er/file; ln deep/er/file link
      ln -s deep/er/file soft; mkfifo pipe; echo d > dev/kept; chown 7:8 deep/er/file
      chmod 6711 deep/er/file; dd if=/dev/urandom of=sparse bs=4096 count=1 2>/dev/null
      dd if=/dev/urandom of=sparse bs=4096 count=1 seek=4096 2>/dev/null
      touch -d '2001-02-03 04:05:06' soft deep/er/file sparse; chmod 750 deep
      touch -d '2002-02-03 04:05:06' deep/er deep; chown 5:6 deep
      """;

  /** Without the links of directories, which differ from one file system to another. */
  private static final String PICTURE =
      """
      cd /v; find . | sort | while read f; do
        if [ -d "$f" ]; then stat -c '%n %a %u %g %Y' "$f"
        else stat -c '%n %F %a %u %g %h %Y' "$f"; fi
      done
      find . -type f | sort | xargs md5sum; readlink soft
      """;

  private static Pool pool() {
    return BENCH.stapes().pools().byDefault();
  }

  private static Device.Disk disk(String pool, String source) {
    return Device.disk("/v", d -> d.volume(pool, source));
  }

  private static Instance launch(Device device) {
    return BENCH.stapes().instances().launch(BENCH.spec().device("v", device).build());
  }

  private static String inside(Device device, String script) {
    Instance box = launch(device);
    try {
      return box.exec("sh", "-c", script).orThrow().stdout();
    } finally {
      box.delete(Delete.FORCE);
    }
  }

  private static void withVolume(String name, Consumer<Volume> test) {
    Volume volume = pool().volumes().create(name);
    try {
      test.accept(volume);
    } finally {
      pool().volumes().get(name).delete(); // the other handle may be of a Stapes that was closed
    }
  }

  @Test
  void several_instances_have_all_of_a_volume_or_a_directory_of_it() {
    withVolume(
        "shared",
        volume -> {
          Instance all = launch(disk("default", "shared"));
          all.exec("sh", "-c", "mkdir -p /v/a/b; echo x > /v/a/b/f; echo y > /v/top").orThrow();
          Instance part = launch(disk("default", "shared/a/b"));
          assertEquals("f\n", part.exec("ls", "/v").orThrow().stdout());
          part.exec("sh", "-c", "echo z > /v/g").orThrow();
          assertEquals("z\n", all.exec("cat", "/v/a/b/g").orThrow().stdout());
          Instance reader =
              launch(Device.disk("/v", d -> d.volume("default", "shared/a").readOnly()));
          assertEquals("x\n", reader.exec("cat", "/v/b/f").orThrow().stdout());
          assertNotEquals(0, reader.exec("touch", "/v/new").exitCode());
          assertEquals(3, volume.info().usedBy().size());
          List.of(all, part, reader).forEach(each -> each.delete(Delete.FORCE));
        });
  }

  @Test
  void a_link_in_a_volume_leads_nobody_out_of_it() {
    withVolume(
        "links",
        volume -> {
          inside(disk("default", "links"), "mkdir /v/real; ln -s / /v/out; ln -s real /v/in");
          for (String source : List.of("links/out", "links/in", "links/out/etc")) {
            Kind kind =
                assertThrows(StapesException.class, () -> launch(disk("default", source))).kind();
            assertEquals(Kind.INVALID, kind, source);
          }
          assertEquals(
              Kind.NOT_FOUND,
              assertThrows(StapesException.class, () -> launch(disk("default", "links/none")))
                  .kind());
        });
  }

  @Test
  void a_directory_of_a_volume_stays_attached_over_a_reopen() {
    withVolume(
        "kept",
        volume -> {
          inside(disk("default", "kept"), "mkdir /v/sub; echo 1 > /v/sub/f");
          Instance box = launch(disk("default", "kept/sub"));
          BENCH.reopen();
          Instance again = BENCH.stapes().instances().get(box.id());
          assertEquals("1\n", again.exec("cat", "/v/f").orThrow().stdout());
          again.delete(Delete.FORCE);
        });
  }

  @Test
  void any_snapshot_of_a_volume_comes_back() {
    withVolume(
        "past",
        volume -> {
          Instance box = launch(disk("default", "past"));
          for (String name : List.of("1", "2", "3")) {
            box.exec("sh", "-c", "echo " + name + " > /v/f").orThrow();
            volume.snapshots().create("s" + name);
          }
          assertEquals(
              Kind.BUSY,
              assertThrows(StapesException.class, () -> volume.snapshots().restore("s1")).kind());
          box.delete(Delete.FORCE);
          for (String name : List.of("1", "3", "2")) {
            volume.snapshots().restore("s" + name);
            assertEquals(name + "\n", inside(disk("default", "past"), "cat /v/f"));
          }
          assertEquals(3, volume.snapshots().list().size());
          volume.resize(Optional.of(Size.ofMebibytes(16)));
          String full = "dd if=/dev/urandom of=/v/big bs=1M count=40 2>&1 || true; sync";
          assertTrue(inside(disk("default", "past"), full).contains("exceeded"));
          volume.snapshots().restore("s1");
          assertEquals("1\n", inside(disk("default", "past"), "cat /v/f"));
        });
  }

  @Test
  void copies_moves_and_backups_keep_what_a_volume_holds(@TempDir Path directory) {
    BENCH.stapes().pools().create(PoolSpec.of("files", "dir"));
    BENCH.stapes().pools().create(PoolSpec.of("second", "btrfs").size(Size.ofMebibytes(256)));
    withVolume(
        "all",
        volume -> {
          String was = inside(disk("default", "all"), FILL + PICTURE);
          volume.snapshots().create("full");
          inside(disk("default", "all"), "echo more > /v/deep/more");
          String is = inside(disk("default", "all"), PICTURE);
          assertNotEquals(was, is);
          for (String pool : List.of("default", "second", "files")) {
            Volume copy = volume.copyTo(VolumeCopySpec.of(pool, "copy").snapshotsToo());
            assertEquals(is, inside(disk(pool, "copy"), PICTURE), pool);
            copy.snapshots().restore("full");
            assertEquals(was, inside(disk(pool, "copy"), PICTURE), pool);
            String blocks = inside(disk(pool, "copy"), "stat -c %b /v/sparse").strip();
            assertTrue(Long.parseLong(blocks) < 1024, pool + ": " + blocks);
            copy.delete();
          }
          volume.moveTo("files");
          assertEquals(is, inside(disk("files", "all"), PICTURE));
          Path file = directory.resolve("backup.tar.zst");
          try (OutputStream out = Files.newOutputStream(file)) {
            volume.export(out);
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
          volume.moveTo("default");
          Volume again = pool().volumes().importFrom(file, Optional.of("again"), Progress.NONE);
          assertEquals(is, inside(disk("default", "again"), PICTURE));
          again.snapshots().restore("full");
          assertEquals(was, inside(disk("default", "again"), PICTURE));
          again.delete();
        });
    BENCH.stapes().pools().get("files").delete();
    BENCH.stapes().pools().get("second").delete();
  }

  /** Two counters that one program writes one after the other: the second is never ahead. */
  @Test
  void a_group_is_of_one_moment() {
    withVolume(
        "first",
        first ->
            withVolume(
                "second",
                second -> {
                  Instance box =
                      BENCH
                          .stapes()
                          .instances()
                          .launch(
                              BENCH
                                  .spec()
                                  .device("a", Device.disk("/a", d -> d.volume("default", "first")))
                                  .device(
                                      "b", Device.disk("/b", d -> d.volume("default", "second")))
                                  .build());
                  box.exec(
                          "sh",
                          "-c",
                          "(i=0; while true; do i=$((i+1)); echo $i > /a/n.new;"
                              + " mv /a/n.new /a/n; echo $i > /b/n.new; mv /b/n.new /b/n;"
                              + " done) >/dev/null 2>&1 </dev/null & until [ -e /b/n ]; do :; done")
                      .orThrow();
                  for (int i = 0; i < 5; i++) {
                    BENCH
                        .stapes()
                        .snapshot(
                            SnapshotGroup.of("g" + i)
                                .instance(box.id())
                                .volume("default", "first")
                                .volume("default", "second"));
                  }
                  box.delete(Delete.FORCE);
                  for (int i = 0; i < 5; i++) {
                    first.snapshots().restore("g" + i);
                    second.snapshots().restore("g" + i);
                    long a = number("first");
                    long b = number("second");
                    assertTrue(a == b || a == b + 1, a + " and " + b);
                  }
                }));
  }

  private static long number(String volume) {
    return Long.parseLong(inside(disk("default", volume), "cat /v/n").strip());
  }
}
