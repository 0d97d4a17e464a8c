package dev.stapes.internal.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.internal.store.MemoryStateStore;
import dev.stapes.model.ImageInfo;
import dev.stapes.model.ImageMetadata;
import dev.stapes.model.Progress;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.ImageSource;
import dev.stapes.spi.StateStore;
import dev.stapes.spi.VolumeId;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

class ImageStoreTest {
  private static final Instant NOW = Instant.parse("2026-01-02T03:04:05Z");
  private static final ImageMetadata METADATA =
      ImageMetadata.container("x86_64", NOW, Map.of("os", "test", "release", "3.20"));

  private final Path root;
  private final StateStore state = new MemoryStateStore();
  private final FakeHost host;
  private final FakePool pool = new FakePool();
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private ImageStore store;

  ImageStoreTest(@TempDir Path root) {
    this.root = root;
    this.host = new FakeHost(root);
    this.store = open();
  }

  @AfterEach
  void nothing_is_left_on_its_way() throws IOException {
    threads.shutdownNow();
    state.close();
    try (Stream<Path> all = Files.walk(root.resolve("images"))) {
      Set<Path> shared =
          Set.of(root.resolve("images/.cache"), root.resolve("images/.blobs")); // and empty
      assertEquals(
          List.of(),
          all.filter(path -> path.toString().contains("/images/."))
              .filter(path -> !shared.contains(path))
              .toList());
    }
  }

  private ImageStore open() {
    return ImageStore.open(root, state, host, Decoders.JAVA, Clock.fixed(NOW, ZoneOffset.UTC));
  }

  /** An image with one file of a content. */
  private static ImageSource source(String content) {
    return new ImageSource() {
      @Override
      public String describe() {
        return "a test";
      }

      @Override
      public Fetched fetch(Context context) {
        Path archive = context.work().resolve("archive");
        byte[] bytes = content.getBytes(StandardCharsets.UTF_8);
        ArchiveFile.write(
            archive,
            true,
            METADATA,
            NOW,
            tar -> tar.add(TarEntry.file("rootfs/f", 0644, bytes.length, NOW), bytes));
        return new Fetched(archive, METADATA);
      }
    };
  }

  private static ImageSource broken() {
    return new ImageSource() {
      @Override
      public String describe() {
        return "a broken test";
      }

      @Override
      public Fetched fetch(Context context) {
        try {
          return new Fetched(
              Files.writeString(context.work().resolve("archive"), "nonsense"), METADATA);
        } catch (IOException e) {
          throw new AssertionError(e);
        }
      }
    };
  }

  private ImageInfo bring(String content, String... aliases) {
    return store.importFrom(source(content), List.of(aliases), Progress.NONE).image();
  }

  private static StapesException refused(Kind kind, Executable action) {
    StapesException e = assertThrows(StapesException.class, action);
    assertEquals(kind, e.kind(), e.toString());
    return e;
  }

  @Test
  void an_image_is_found_by_alias_fingerprint_and_the_start_of_it() throws Exception {
    ImageInfo image = bring("a", "debian/13", "stable");
    byte[] archive = Files.readAllBytes(root.resolve("images").resolve(image.fingerprint()));
    assertEquals(
        HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(archive)),
        image.fingerprint());
    assertEquals(archive.length, image.size().bytes());
    assertEquals(METADATA, image.metadata());
    assertEquals(Set.of("debian/13", "stable"), image.aliases());
    assertEquals(NOW, image.importedAt());
    assertEquals("a test", image.source());
    for (String name :
        List.of(
            "stable",
            "debian/13",
            "local:debian/13",
            image.fingerprint(),
            image.fingerprint().substring(0, 8))) {
      assertEquals(image, store.find(name), name);
    }
    store = open();
    assertEquals(image, store.find("stable"));
  }

  @Test
  void an_image_that_comes_twice_is_one_with_all_aliases() {
    ImageInfo first = bring("a", "one");
    ImageInfo second = bring("a", "two", "one");
    assertEquals(first.fingerprint(), second.fingerprint());
    assertEquals(Set.of("one", "two"), second.aliases());
    assertEquals(List.of(second), store.list());
  }

  @Test
  void an_alias_of_another_image_is_a_conflict_and_nothing_comes() {
    ImageInfo first = bring("a", "one");
    StapesException e = refused(Kind.CONFLICT, () -> bring("b", "two", "one"));
    assertTrue(e.toString().contains(first.fingerprint()), e.toString());
    assertEquals(List.of(first), store.list());
    refused(Kind.NOT_FOUND, () -> store.find("two"));
    assertEquals(Set.of(first.fingerprint()), archives());
  }

  @Test
  void names_that_are_none_are_refused_with_a_hint() {
    ImageInfo image = bring("a");
    assertTrue(
        refused(Kind.UNSUPPORTED, () -> store.find("images:debian/13"))
            .toString()
            .contains("image server named \"images\""));
    refused(Kind.NOT_FOUND, () -> store.find("nothing"));
    assertTrue(
        refused(Kind.NOT_FOUND, () -> store.find(image.fingerprint().substring(0, 7)))
            .toString()
            .contains("too short"));
    refused(Kind.NOT_FOUND, () -> store.find("0000000000000000"));
    refused(Kind.INVALID, () -> store.find("../../etc"));
    refused(Kind.INVALID, () -> store.find(""));
    refused(Kind.INVALID, () -> bring("b", "a b"));
  }

  @Test
  void a_start_that_two_images_share_is_a_conflict_that_names_both() {
    String one = "abcdef12" + "0".repeat(56);
    String two = "abcdef12" + "1".repeat(56);
    ImageInfo image = bring("a");
    String record = state.get(ImageRecord.key(image.fingerprint())).orElseThrow().value();
    state.commit(
        StateStore.Transaction.begin()
            .put(ImageRecord.key(one), record)
            .put(ImageRecord.key(two), record)
            .build());
    StapesException e = refused(Kind.CONFLICT, () -> store.find("abcdef12"));
    assertTrue(e.toString().contains(one) && e.toString().contains(two), e.toString());
    assertEquals(one, store.find("abcdef120").fingerprint());
  }

  @Test
  void aliases_come_go_and_change_their_names() {
    ImageInfo a = bring("a", "one");
    ImageInfo b = bring("b", "other");
    assertEquals(Set.of("one", "two"), store.addAlias("one", "two").aliases());
    assertEquals(Set.of("one", "three"), store.renameAlias("two", "three").aliases());
    assertEquals(Set.of("three"), store.removeAlias("one").aliases());
    refused(Kind.NOT_FOUND, () -> store.find("one"));
    refused(Kind.NOT_FOUND, () -> store.removeAlias("one"));
    refused(Kind.NOT_FOUND, () -> store.renameAlias("one", "four"));
    refused(Kind.CONFLICT, () -> store.renameAlias("three", "other"));
    refused(Kind.CONFLICT, () -> store.addAlias("three", "other"));
    assertEquals(a.fingerprint(), store.find("three").fingerprint());
    assertEquals(b, store.find("other"));
  }

  @Test
  void a_deleted_image_is_gone_from_store_disk_and_pools() {
    ImageInfo image = bring("a", "one");
    store.unpackInto("p", pool, "one", Progress.NONE);
    store.delete("one", Map.of("p", pool));
    assertEquals(List.of(), store.list());
    refused(Kind.NOT_FOUND, () -> store.find("one"));
    assertEquals(Set.of(), archives());
    assertEquals(Set.of(), pool.list());
    assertEquals(0, state.range("", "\uffff", 10).size());
    refused(Kind.NOT_FOUND, () -> store.unpackInto("p", pool, image.fingerprint(), Progress.NONE));
  }

  @Test
  void an_export_is_the_archive_and_does_not_overwrite() throws IOException {
    ImageInfo image = bring("a", "one");
    Path target = root.resolve("exported");
    store.export("one", target, Progress.NONE);
    assertArrayEquals(
        Files.readAllBytes(root.resolve("images").resolve(image.fingerprint())),
        Files.readAllBytes(target));
    refused(Kind.CONFLICT, () -> store.export("one", target, Progress.NONE));
    refused(
        Kind.NOT_FOUND,
        () -> store.export("one", root.resolve("no/such/directory/file"), Progress.NONE));
  }

  @Test
  void what_a_crash_left_is_collected_at_the_next_open() throws IOException {
    ImageInfo image = bring("a");
    Path images = root.resolve("images");
    Files.createDirectories(images.resolve(".work-1/target/proc"));
    Files.writeString(images.resolve(".work-1/target/file"), "half");
    Files.writeString(images.resolve("0".repeat(64)), "without record");
    Files.writeString(images.resolve("keep"), "not ours");
    store = open();
    assertEquals(Set.of(image.fingerprint(), "keep"), archives());
  }

  @Test
  void a_source_that_fails_leaves_nothing() {
    ImageSource failing =
        new ImageSource() {
          @Override
          public String describe() {
            return "failing";
          }

          @Override
          public Fetched fetch(Context context) {
            throw new StapesException(Kind.UNAVAILABLE, "it", "is not there");
          }
        };
    refused(Kind.UNAVAILABLE, () -> store.importFrom(failing, List.of("one"), Progress.NONE));
    assertEquals(Set.of(), archives());
    assertEquals(List.of(), store.list());
  }

  @Test
  void a_source_may_not_bring_what_is_not_in_its_directory() {
    ImageSource cheating =
        new ImageSource() {
          @Override
          public String describe() {
            return "cheating";
          }

          @Override
          public Fetched fetch(Context context) {
            return new Fetched(context.work().resolve("../../secret"), METADATA);
          }
        };
    refused(Kind.INVALID, () -> store.importFrom(cheating, List.of(), Progress.NONE));
  }

  @Test
  void a_missing_archive_is_said_and_comes_back_with_the_next_import() throws IOException {
    ImageInfo image = bring("a", "one");
    Files.delete(root.resolve("images").resolve(image.fingerprint()));
    refused(Kind.UNAVAILABLE, () -> store.unpackInto("p", pool, "one", Progress.NONE));
    assertEquals(Set.of(), pool.list());
    bring("a");
    store.unpackInto("p", pool, "one", Progress.NONE);
    assertEquals(1, pool.list().size());
  }

  @Test
  void many_who_want_an_image_in_a_pool_unpack_it_once() throws Exception {
    ImageInfo image = bring("a", "one");
    List<Callable<VolumeId>> callers = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      callers.add(() -> store.unpackInto("p", pool, "one", Progress.NONE));
    }
    Set<VolumeId> volumes = new TreeSet<>();
    for (Future<VolumeId> future : threads.invokeAll(callers)) {
      volumes.add(future.get(60, TimeUnit.SECONDS));
    }
    VolumeId expected = new VolumeId(VolumeId.Kind.IMAGE, image.fingerprint().substring(0, 32));
    assertEquals(Set.of(expected), volumes);
    assertEquals(1, pool.created.get());
    assertEquals(1, pool.files(expected).stat("f").orElseThrow().size());
    store.unpackInto("other", new FakePool(), "one", Progress.NONE);
  }

  @Test
  void a_failed_unpacking_leaves_no_volume_and_fails_all_who_wait() throws Exception {
    ImageInfo image = store.importFrom(broken(), List.of("one"), Progress.NONE).image();
    CountDownLatch inside = new CountDownLatch(1);
    CountDownLatch go = new CountDownLatch(1);
    pool.onTree =
        () -> {
          inside.countDown();
          await(go);
        };
    Future<VolumeId> first =
        threads.submit(() -> store.unpackInto("p", pool, "one", Progress.NONE));
    await(inside);
    Future<VolumeId> second =
        threads.submit(() -> store.unpackInto("p", pool, image.fingerprint(), Progress.NONE));
    go.countDown();
    for (Future<VolumeId> future : List.of(first, second)) {
      ExecutionException e =
          assertThrows(ExecutionException.class, () -> future.get(60, TimeUnit.SECONDS));
      StapesException cause = assertInstanceOf(StapesException.class, e.getCause());
      assertEquals(Kind.INVALID, cause.kind());
    }
    assertEquals(Set.of(), pool.list());
  }

  @Test
  void one_who_waits_goes_on_where_the_unpacking_one_was_interrupted() throws Exception {
    bring("a", "one");
    CountDownLatch inside = new CountDownLatch(1);
    AtomicBoolean once = new AtomicBoolean();
    CountDownLatch never = new CountDownLatch(1);
    pool.onTree =
        () -> {
          if (once.compareAndSet(false, true)) {
            inside.countDown();
            try {
              never.await();
            } catch (InterruptedException e) {
              Thread.currentThread().interrupt();
            }
          }
        };
    Future<VolumeId> first =
        threads.submit(() -> store.unpackInto("p", pool, "one", Progress.NONE));
    await(inside);
    Future<VolumeId> second =
        threads.submit(() -> store.unpackInto("p", pool, "one", Progress.NONE));
    first.cancel(true);
    assertEquals(Set.of(second.get(60, TimeUnit.SECONDS)), pool.list());
  }

  @Test
  void an_image_that_is_being_unpacked_is_not_deleted() throws Exception {
    bring("a", "one");
    CountDownLatch inside = new CountDownLatch(1);
    CountDownLatch go = new CountDownLatch(1);
    pool.onTree =
        () -> {
          inside.countDown();
          await(go);
        };
    Future<VolumeId> unpacking =
        threads.submit(() -> store.unpackInto("p", pool, "one", Progress.NONE));
    await(inside);
    refused(Kind.BUSY, () -> store.delete("one", Map.of("p", pool)));
    go.countDown();
    unpacking.get(60, TimeUnit.SECONDS);
    store.delete("one", Map.of("p", pool));
  }

  @Test
  void a_volume_that_a_crash_left_half_unpacked_is_unpacked_again() {
    ImageInfo image = bring("a", "one");
    VolumeId id = ImageVolumes.id(image.fingerprint());
    pool.create(id);
    pool.files(id).mkdir("half", 0755);
    store.unpackInto("p", pool, "one", Progress.NONE);
    assertEquals(List.of("f"), pool.files(id).list(""));
  }

  @Test
  void a_record_that_outlived_its_volume_does_not_vouch_for_the_next() {
    ImageInfo image = bring("a", "one");
    VolumeId id = store.unpackInto("p", pool, "one", Progress.NONE);
    pool.discard(id);
    pool.onTree =
        () -> {
          throw new StapesException(Kind.EXHAUSTED, "p", "full");
        };
    refused(Kind.EXHAUSTED, () -> store.unpackInto("p", pool, "one", Progress.NONE));
    pool.create(id); // as if the crash had come before the rollback
    pool.onTree = () -> {};
    store = open();
    assertTrue(state.get(ImageRecord.volumeKey("p", image.fingerprint())).isEmpty());
    store.unpackInto("p", pool, "one", Progress.NONE);
    assertEquals(List.of("f"), pool.files(id).list(""));
  }

  @Test
  void a_rollback_that_fails_is_told_with_the_error() {
    store.importFrom(broken(), List.of("one"), Progress.NONE);
    AtomicBoolean first = new AtomicBoolean(true);
    pool.onDiscard =
        () -> {
          if (!first.getAndSet(false)) {
            throw new StapesException(Kind.INTERNAL, "p", "cannot");
          }
        };
    StapesException e =
        refused(Kind.INVALID, () -> store.unpackInto("p", pool, "one", Progress.NONE));
    assertEquals(1, e.getSuppressed().length);
    assertTrue(e.getSuppressed()[0].toString().contains("left behind: volume images/"));
  }

  @Test
  void collecting_a_pool_keeps_what_is_complete_and_not_of_images() {
    ImageInfo image = bring("a", "one");
    VolumeId kept = store.unpackInto("p", pool, "one", Progress.NONE);
    VolumeId custom = new VolumeId(VolumeId.Kind.CUSTOM, "mine");
    pool.create(custom);
    pool.create(new VolumeId(VolumeId.Kind.IMAGE, "0".repeat(32)));
    store.collect("p", pool);
    assertEquals(Set.of(kept, custom), pool.list());
    store.forgetPool("p");
    store.collect("p", pool);
    assertEquals(Set.of(custom), pool.list());
    assertFalse(image.fingerprint().isEmpty());
  }

  private Set<String> archives() {
    try (Stream<Path> files = Files.list(root.resolve("images"))) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> !name.equals(".cache") && !name.equals(".blobs"))
          .collect(Collectors.toCollection(TreeSet::new));
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      assertTrue(latch.await(60, TimeUnit.SECONDS));
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}
