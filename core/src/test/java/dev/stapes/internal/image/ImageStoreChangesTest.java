package dev.stapes.internal.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.ImageInfo;
import dev.stapes.model.ImageMetadata;
import dev.stapes.model.Progress;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.ImageSource;
import dev.stapes.spi.StateStore;
import dev.stapes.spi.VolumeId;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** Changes that meet others, or fail half-way. */
class ImageStoreChangesTest {
  private static final Instant NOW = Instant.parse("2026-01-02T03:04:05Z");
  private static final Duration DAY = Duration.ofDays(1);
  private static final ImageMetadata METADATA =
      ImageMetadata.container("x86_64", NOW, Map.of("os", "test"));

  private final Path root;
  private final HookedStateStore state = new HookedStateStore();
  private final FakePool pool = new FakePool();
  private final ImageStore store;
  private Instant now = NOW;

  ImageStoreChangesTest(@TempDir Path root) {
    this.root = root;
    this.store = open();
  }

  @AfterEach
  void close() {
    state.close();
  }

  private ImageStore open() {
    return ImageStore.open(root, state, new FakeHost(root), Decoders.JAVA, () -> now);
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

  private ImageInfo bring(String content, String... aliases) {
    return store.importFrom(source(content), List.of(aliases), Progress.NONE).image();
  }

  private ImageInfo replace(ImageInfo old, String content) {
    return store
        .importFrom(
            source(content),
            new ImageStore.Wish(Set.of(), old.cached(), Optional.of(old.fingerprint())),
            Progress.NONE)
        .image();
  }

  private static void refused(Kind kind, Executable action) {
    StapesException e = assertThrows(StapesException.class, action);
    assertEquals(kind, e.kind(), e.toString());
  }

  @Test
  void an_image_that_a_copy_is_made_of_is_not_deleted() {
    ImageInfo image = bring("a", "one");
    VolumeId volume = store.unpackInto("p", pool, "one", Progress.NONE);
    VolumeId given =
        store.fromUnpacked(
            "p",
            pool,
            "one",
            Progress.NONE,
            id -> {
              refused(Kind.BUSY, () -> store.delete("one", Map.of("p", pool)));
              return id;
            });
    assertEquals(volume, given);
    assertEquals(Set.of(volume), pool.list());
    assertEquals(image, store.delete("one", Map.of("p", pool)));
    assertEquals(Set.of(), pool.list());
  }

  @Test
  void an_image_is_deleted_only_if_it_still_is_what_it_was_taken_for() {
    ImageInfo image = bring("a", "one");
    store.used(image);
    ImageInfo used = store.find("one");
    List<ImageInfo> asked = new ArrayList<>();
    assertEquals(
        Optional.empty(),
        store.deleteIf(image.fingerprint(), now -> !asked.add(now), Map.of("p", pool)));
    assertEquals(List.of(used), asked);
    assertEquals(List.of(used), store.list());
    assertEquals(
        Optional.of(image), store.deleteIf("one", now -> asked.contains(now), Map.of("p", pool)));
    assertEquals(List.of(), store.list());
  }

  @Test
  void who_takes_the_place_of_one_that_is_to_stay_by_now_stays() {
    ImageInfo old =
        store
            .importFrom(
                source("old"),
                new ImageStore.Wish(Set.of("one"), true, Optional.empty()),
                Progress.NONE)
            .image();
    assertTrue(old.cached());
    bring("old", "mine");
    ImageInfo newer = replace(old, "new");
    assertFalse(newer.cached());
    assertEquals(Set.of("one", "mine"), newer.aliases());
  }

  @Test
  void a_refresh_that_is_not_safe_is_taken_back_without_a_moment_without_aliases() {
    ImageInfo old = bring("old", "one", "two");
    refreshIsTakenBack(old);
    bring("new", "three");
    refreshIsTakenBack(old);
  }

  private void refreshIsTakenBack(ImageInfo old) {
    List<String> before = texts();
    List<String> removed = new ArrayList<>();
    state.onCommit = transaction -> removed.addAll(transaction.removes());
    state.onSync =
        () -> {
          assertEquals(Set.of(), store.find(old.fingerprint()).aliases());
          throw new StapesException(Kind.EXHAUSTED, "store", "full");
        };
    refused(Kind.EXHAUSTED, () -> replace(old, "new"));
    state.onSync = () -> {};
    assertFalse(removed.contains("aliases/one") || removed.contains("aliases/two"));
    assertEquals(before, texts());
  }

  private List<String> texts() {
    return state.prefix("").stream().map(entry -> entry.key() + "=" + entry.value()).toList();
  }

  @Test
  void who_edits_properties_stands_in_nobodys_way_and_is_asked_again_after_another_change()
      throws Exception {
    bring("a", "one");
    AtomicInteger asked = new AtomicInteger();
    ImageInfo edited =
        store.edit(
            "one",
            properties -> {
              if (asked.incrementAndGet() == 1) {
                elsewhere(() -> store.edit("one", others -> with(others, "other", "1")));
                elsewhere(() -> store.addAlias("one", "two"));
              }
              return with(properties, "mine", "2");
            });
    assertEquals(2, asked.get());
    assertEquals(Map.of("os", "test", "other", "1", "mine", "2"), edited.metadata().properties());
    assertEquals(Set.of("one", "two"), edited.aliases());
    refused(
        Kind.CONFLICT,
        () ->
            store.edit(
                "one",
                properties -> {
                  String count = Integer.toString(asked.incrementAndGet());
                  store.edit("one", others -> with(others, "count", count));
                  return with(properties, "mine", count);
                }));
    assertEquals("2", store.find("one").metadata().properties().get("mine"));
  }

  private static SortedMap<String, String> with(
      SortedMap<String, String> properties, String key, String value) {
    SortedMap<String, String> more = new TreeMap<>(properties);
    more.put(key, value);
    return more;
  }

  private static void elsewhere(Runnable action) {
    try {
      CompletableFuture.runAsync(action).get(60, TimeUnit.SECONDS);
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void a_use_that_met_another_change_is_written_down_and_one_that_could_not_be_is_the_next_time() {
    ImageInfo image = bring("a", "one");
    String key = ImageRecord.USED + image.fingerprint();
    now = now.plus(DAY).plus(DAY);
    AtomicBoolean met = new AtomicBoolean();
    state.onCommit =
        transaction -> {
          if (transaction.puts().containsKey(key) && met.compareAndSet(false, true)) {
            store.addAlias("one", "two");
          }
        };
    store.used(image);
    assertEquals(Optional.of(now.toString()), state.get(key).map(StateStore.Entry::value));
    now = now.plus(DAY).plus(DAY);
    state.onCommit =
        transaction -> {
          throw new StapesException(Kind.EXHAUSTED, "store", "full");
        };
    store.used(image);
    assertEquals(Optional.of(now), store.find("one").lastUsedAt());
    state.onCommit = transaction -> {};
    now = now.plusSeconds(1);
    store.used(image);
    assertEquals(Optional.of(now), open().find("one").lastUsedAt());
  }

  @Test
  void a_use_of_an_image_that_is_gone_is_not_remembered() {
    ImageInfo image = bring("a", "one");
    store.delete("one", Map.of());
    now = now.plus(DAY).plus(DAY);
    store.used(image);
    assertEquals(List.of(), state.prefix(""));
    assertEquals(Optional.empty(), bring("a", "one").lastUsedAt());
  }
}
