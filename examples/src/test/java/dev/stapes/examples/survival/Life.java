package dev.stapes.examples.survival;

import dev.stapes.Delete;
import dev.stapes.ImageSources;
import dev.stapes.Instance;
import dev.stapes.Pool;
import dev.stapes.Stapes;
import dev.stapes.Stop;
import dev.stapes.Volume;
import dev.stapes.model.ImageInfo;
import dev.stapes.model.ImageMetadata;
import dev.stapes.model.InstanceSpec;
import dev.stapes.model.Lifetime;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.Size;
import dev.stapes.model.VolumeCopySpec;
import dev.stapes.spi.ImageSource;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Map;

/**
 * What a JVM does that is to die while it does it. Each begins on a root directory with a busybox
 * image and without instances, and ends on the same.
 */
enum Life {
  /** Made, started, stopped, deleted. */
  RUN {
    @Override
    void live(Stapes stapes, PoolSpec extra, Diary diary) {
      InstanceSpec spec = InstanceSpec.container("one", "busybox").build();
      diary.step(() -> stapes.instances().create(spec));
      Instance one = stapes.instances().get("one");
      diary.step(one::start);
      diary.step(() -> write(one, "1"));
      diary.step(() -> one.stop(Stop.FORCE));
      diary.step(one::start);
      diary.step(() -> one.delete(Delete.FORCE));
    }
  },

  /** Snapshots of a running and of a stopped instance, and back to them. */
  SNAPSHOTS {
    @Override
    void live(Stapes stapes, PoolSpec extra, Diary diary) {
      diary.step(() -> stapes.instances().launch(InstanceSpec.container("one", "busybox").build()));
      Instance one = stapes.instances().get("one");
      diary.step(() -> write(one, "1"));
      diary.step(() -> one.snapshots().create("s"));
      diary.step(() -> write(one, "2"));
      diary.step(() -> one.snapshots().restore("s"));
      diary.step(() -> one.stop(Stop.FORCE));
      diary.step(() -> one.snapshots().restore("s"));
      diary.step(() -> one.snapshots().create("t"));
      diary.step(() -> one.snapshots().rename("t", "u"));
      diary.step(() -> one.snapshots().delete("u"));
      diary.step(one::delete);
    }
  },

  /** Copies of a running and of a stopped instance, and of a snapshot; other names. */
  COPIES {
    @Override
    void live(Stapes stapes, PoolSpec extra, Diary diary) {
      diary.step(() -> stapes.instances().launch(InstanceSpec.container("one", "busybox").build()));
      Instance one = stapes.instances().get("one");
      diary.step(() -> write(one, "1"));
      diary.step(() -> one.snapshots().create("s"));
      diary.step(() -> one.copyTo("two"));
      diary.step(() -> stapes.instances().get("two").rename("three"));
      diary.step(() -> one.snapshots().copyTo("s", "four"));
      diary.step(() -> one.rename("five"));
      diary.step(() -> one.stop(Stop.FORCE));
      diary.step(() -> one.copyTo("six"));
      for (String name : new String[] {"three", "four", "five", "six"}) {
        diary.step(() -> stapes.instances().get(name).delete());
      }
    }
  },

  /** They die with their JVM, whatever happens; the diary stays as it was. */
  THROWAWAY {
    @Override
    void live(Stapes stapes, PoolSpec extra, Diary diary) {
      Instance one =
          stapes
              .instances()
              .launch(
                  InstanceSpec.container("one", "busybox").lifetime(Lifetime.THROWAWAY).build());
      write(one, "1");
      one.snapshots().create("s");
      one.snapshots().restore("s");
      one.copyTo("two").start();
      diary.step(() -> one.delete(Delete.FORCE));
    }
  },

  /** A second pool with volumes, and an image that is imported, unpacked and deleted. */
  POOLS {
    @Override
    void live(Stapes stapes, PoolSpec extra, Diary diary) {
      diary.step(() -> stapes.pools().create(extra));
      Pool pool = stapes.pools().get(extra.name());
      diary.step(() -> pool.volumes().create("files"));
      Volume files = pool.volumes().get("files");
      diary.step(() -> files.snapshots().create("s"));
      diary.step(() -> files.snapshots().restore("s"));
      diary.step(() -> files.copyTo(VolumeCopySpec.of(extra.name(), "more").snapshotsToo()));
      diary.step(() -> files.moveTo("default"));
      diary.step(files::delete);
      diary.step(() -> pool.volumes().get("more").delete());
      diary.step(pool::delete);
      diary.step(() -> stapes.images().importFrom(small("1"), SMALL));
      diary.step(() -> stapes.instances().create(InstanceSpec.container("one", SMALL).build()));
      diary.step(() -> stapes.instances().get("one").delete());
      diary.step(() -> stapes.images().delete(SMALL));
    }
  },

  /** An image that is made of an instance and of a snapshot, and one that a newer one follows. */
  IMAGES {
    @Override
    void live(Stapes stapes, PoolSpec extra, Diary diary) {
      diary.step(() -> stapes.images().importFrom(small("1"), SMALL));
      diary.step(() -> stapes.instances().create(InstanceSpec.container("one", SMALL).build()));
      Instance one = stapes.instances().get("one");
      diary.step(() -> one.snapshots().create("s"));
      one.files().writeText("/root/other", "2\n");
      diary.step(() -> stapes.images().publish(one, "of-instance"));
      diary.step(() -> stapes.images().publish(one.snapshots().get("s"), "of-snapshot"));
      diary.step(() -> stapes.images().refresh(SMALL, small("3")));
      diary.step(() -> stapes.instances().create(InstanceSpec.container("two", SMALL).build()));
      diary.step(() -> stapes.instances().get("two").delete());
      diary.step(one::delete);
      for (String name : new String[] {"of-instance", "of-snapshot", SMALL}) {
        diary.step(() -> stapes.images().delete(name));
      }
      for (ImageInfo image : stapes.images().list()) {
        if (image.aliases().isEmpty()) {
          diary.step(() -> stapes.images().delete(image.fingerprint()));
        }
      }
    }
  };

  /** What is written to, in the instances. */
  static final String FILE = "/root/file";

  /** The alias of an image in which hardly anything is. */
  static final String SMALL = "small";

  /**
   * Lives to the end.
   *
   * @param extra a pool beside the default one, to be made
   */
  abstract void live(Stapes stapes, PoolSpec extra, Diary diary);

  /** A pool beside the default one, small where it can be. */
  static PoolSpec extraPool(String driver) {
    PoolSpec spec = PoolSpec.of("extra", driver);
    return driver.equals("btrfs") ? spec.size(Size.ofMebibytes(256)) : spec;
  }

  /** In one step: a file that was begun when the JVM died would be in no diary. */
  private static void write(Instance instance, String text) {
    instance.exec("sh", "-c", "echo " + text + " > /root/new; mv /root/new " + FILE).orThrow();
  }

  private static ImageSource small(String content) {
    try {
      Path rootfs = Files.createTempDirectory("small-image");
      Files.writeString(
          Files.createDirectory(rootfs.resolve("root")).resolve("file"), content + "\n");
      return ImageSources.directory(
          rootfs, ImageMetadata.container("x86_64", Instant.EPOCH, Map.of()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
