package dev.stapes.internal.image;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.stapes.internal.digest.Sha256;
import dev.stapes.model.StapesException;
import dev.stapes.spi.StateStore;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * The templates of images in the state store, by the hash of their content: an instance keeps its
 * own when the image goes. What nobody refers to is removed by {@link #collect}, at the open.
 */
public final class TemplateStore {
  /** In front of a fingerprint; the value is a hash. */
  private static final String OF_IMAGES = "image-templates/";

  /** In front of a hash, a slash and the number of a part. */
  private static final String CONTENTS = "templates/";

  private static final int REMEMBERED = 16;
  private static final int PART = 512 << 10;

  private final StateStore state;
  private final Map<String, Optional<String>> hashes = new ConcurrentHashMap<>();
  // Else its upkeep runs in the common pool, in threads that no close() joins.
  private final Cache<String, ImageTemplates> read =
      Caffeine.newBuilder().maximumSize(REMEMBERED).executor(Runnable::run).build();

  TemplateStore(StateStore state) {
    this.state = state;
  }

  /**
   * Remembers those of an image; before its record is written.
   *
   * @return undoes it
   */
  Runnable put(String fingerprint, ImageTemplates templates) {
    String text = templates.write();
    String hash = Sha256.hex(text);
    Map<String, String> entries = new TreeMap<>(Map.of(OF_IMAGES + fingerprint, hash));
    for (int from = 0; from < text.length(); from += PART) {
      String content = text.substring(from, Math.min(text.length(), from + PART));
      entries.put(partKey(hash, entries.size() - 1), content);
    }
    entries
        .entrySet()
        .removeIf(
            entry ->
                state
                    .get(entry.getKey())
                    .filter(there -> there.value().equals(entry.getValue()))
                    .isPresent());
    if (entries.isEmpty()) {
      return () -> {};
    }
    StateStore.Transaction.Builder transaction = StateStore.Transaction.begin();
    entries.forEach(transaction::put);
    state.commit(transaction.build());
    hashes.remove(fingerprint);
    return () -> {
      hashes.remove(fingerprint);
      remove(entries.keySet());
    };
  }

  /** Whose templates an image has; without asking the store a second time. */
  public Optional<String> of(String fingerprint) {
    return hashes.computeIfAbsent(
        fingerprint, image -> state.get(OF_IMAGES + image).map(StateStore.Entry::value));
  }

  /** The templates of a hash. */
  public ImageTemplates get(String hash) {
    return read.get(
        hash,
        wanted -> {
          StringBuilder text = new StringBuilder();
          state.prefix(CONTENTS + wanted + "/").forEach(entry -> text.append(entry.value()));
          if (text.isEmpty()) {
            throw new StapesException(
                StapesException.Kind.INTERNAL, "image templates", "are missing: " + wanted);
          }
          return ImageTemplates.read(text.toString());
        });
  }

  /** An image is gone. */
  void forget(String fingerprint) {
    hashes.remove(fingerprint);
    String key = OF_IMAGES + fingerprint;
    if (state.get(key).isPresent()) {
      state.commit(StateStore.Transaction.begin().remove(key).build());
    }
  }

  /**
   * Removes what neither an image nor an instance has. To be called while nobody imports or makes
   * one.
   *
   * @param images whether a fingerprint is that of an image
   * @param instances the hashes that instances have
   */
  void collect(Predicate<String> images, Set<String> instances) {
    Set<String> used = new HashSet<>(instances);
    for (StateStore.Entry entry : state.prefix(OF_IMAGES)) {
      String fingerprint = entry.key().substring(OF_IMAGES.length());
      if (images.test(fingerprint)) {
        used.add(entry.value());
      } else {
        forget(fingerprint);
      }
    }
    Set<String> orphans =
        state.prefix(CONTENTS).stream()
            .map(StateStore.Entry::key)
            .filter(key -> !used.contains(key.split("/", -1)[1]))
            .collect(Collectors.toSet());
    if (!orphans.isEmpty()) {
      remove(orphans);
    }
  }

  private void remove(Set<String> keys) {
    StateStore.Transaction.Builder transaction = StateStore.Transaction.begin();
    keys.forEach(transaction::remove);
    state.commit(transaction.build());
  }

  /** Numbered so that the order of keys is that of the parts. */
  private static String partKey(String hash, int part) {
    return CONTENTS + hash + "/" + (char) ('a' + part / 26) + (char) ('a' + part % 26);
  }
}
