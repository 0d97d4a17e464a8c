package dev.stapes.internal.image;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.stapes.model.ImageInfo;
import dev.stapes.model.Names;
import dev.stapes.model.StapesException;
import dev.stapes.spi.StateStore;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** The records of images and aliases in the state store. */
final class ImageCatalog {
  static final Pattern FINGERPRINT = Pattern.compile("[0-9a-f]{64}");

  private static final Pattern PREFIX = Pattern.compile("[0-9a-f]{1,64}");
  private static final int SHORTEST_PREFIX = 8;
  private static final String LOCAL = "local:";

  private static final int REMEMBERED = 64;

  private final StateStore state;
  private final Cache<StateStore.Entry, ImageRecord> remembered =
      Caffeine.newBuilder().maximumSize(REMEMBERED).executor(Runnable::run).build();

  ImageCatalog(StateStore state) {
    this.state = state;
  }

  /** The words for an image in errors. */
  static String subject(String fingerprint) {
    return "image " + fingerprint.substring(0, 12);
  }

  Optional<ImageRecord> get(String fingerprint) {
    return state
        .get(ImageRecord.key(fingerprint))
        .map(entry -> remembered.get(entry, ImageRecord::read));
  }

  /** Finds an image by alias, fingerprint or the unique start of one. */
  ImageRecord find(String name) {
    String local = name.startsWith(LOCAL) ? name.substring(LOCAL.length()) : name;
    int colon = local.indexOf(':');
    if (colon >= 0) {
      throw new StapesException(
          StapesException.Kind.UNSUPPORTED,
          "image " + name,
          "no image server named \""
              + local.substring(0, colon)
              + "\" is known: import the image from a source first, then use its alias");
    }
    Names.alias(local);
    Optional<StateStore.Entry> alias = state.get(ImageRecord.ALIASES + local);
    if (alias.isPresent()) {
      String fingerprint = alias.get().value();
      return get(fingerprint)
          .orElseThrow(
              () ->
                  new StapesException(
                      StapesException.Kind.INTERNAL,
                      "image " + name,
                      "the alias leads to " + fingerprint + ", which does not exist"));
    }
    return byFingerprint(local);
  }

  private ImageRecord byFingerprint(String name) {
    boolean prefix = PREFIX.matcher(name).matches();
    if (!prefix || name.length() < SHORTEST_PREFIX) {
      throw new StapesException(
          StapesException.Kind.NOT_FOUND,
          "image " + name,
          prefix
              ? "not found: no such alias, and too short for a fingerprint, which needs "
                  + SHORTEST_PREFIX
                  + " digits"
              : "not found: no such alias");
    }
    Optional<ImageRecord> whole = get(name);
    if (whole.isPresent()) {
      return whole.get();
    }
    String from = ImageRecord.key(name);
    List<StateStore.Entry> found = state.range(from, StateStore.end(from), 2);
    if (found.isEmpty()) {
      throw StapesException.notFound("image " + name);
    }
    if (found.size() > 1) {
      throw new StapesException(
          StapesException.Kind.CONFLICT,
          "image " + name,
          "more than one fingerprint starts so: "
              + found.get(0).key().substring(ImageRecord.IMAGES.length())
              + " and "
              + found.get(1).key().substring(ImageRecord.IMAGES.length()));
    }
    return ImageRecord.read(found.get(0));
  }

  /** All images, by fingerprint. */
  List<ImageInfo> list() {
    return records().stream().map(ImageRecord::info).toList();
  }

  private List<ImageRecord> records() {
    return state.prefix(ImageRecord.IMAGES).stream().map(ImageRecord::read).toList();
  }

  /** The digests of all parts of OCI images. */
  Set<String> blobs() {
    return records().stream()
        .flatMap(record -> record.form().parts().stream())
        .map(ImageForm.Part::digest)
        .collect(Collectors.toSet());
  }

  /** The names of all volumes that images are unpacked in, those of single layers included. */
  Set<String> volumes() {
    return records().stream()
        .flatMap(record -> record.volumes().stream())
        .collect(Collectors.toSet());
  }

  /**
   * Records an image, or adds the aliases to the one that there is.
   *
   * @param form which files it has
   * @param replaced another image that gives it all its aliases
   */
  ImageInfo put(ImageInfo image, ImageForm form, Optional<ImageRecord> replaced) {
    String key = ImageRecord.key(image.fingerprint());
    Optional<ImageRecord> existing = get(image.fingerprint());
    StateStore.Transaction.Builder transaction =
        replaced
            .map(old -> update(old, old.info().withAliases(new TreeSet<>())))
            .orElseGet(StateStore.Transaction::begin);
    existing.ifPresentOrElse(
        known -> transaction.ifUnchanged(key, known.modified()), () -> transaction.ifAbsent(key));
    claim(image.fingerprint(), image.aliases(), transaction);
    TreeSet<String> all = new TreeSet<>(image.aliases());
    for (String alias : replaced.map(old -> old.info().aliases()).orElseGet(TreeSet::new)) {
      transaction.put(ImageRecord.ALIASES + alias, image.fingerprint());
      all.add(alias);
    }
    ImageInfo merged =
        existing
            .map(known -> merged(known.info(), image, all))
            .orElseGet(() -> image.withAliases(all));
    state.commit(transaction.put(key, ImageRecord.write(merged, form)).build());
    return merged;
  }

  /** One that is there stays what it is; who brings it to stay makes it stay. */
  private static ImageInfo merged(ImageInfo known, ImageInfo brought, TreeSet<String> aliases) {
    aliases.addAll(known.aliases());
    return known
        .withAliases(aliases)
        .withOrigin(known.cached() && brought.cached(), known.origin().or(brought::origin));
  }

  /** Puts aliases, unless they belong to another image. */
  private void claim(
      String fingerprint, Collection<String> aliases, StateStore.Transaction.Builder transaction) {
    for (String alias : aliases) {
      String key = ImageRecord.ALIASES + Names.alias(alias);
      Optional<StateStore.Entry> taken = state.get(key);
      if (taken.isEmpty()) {
        transaction.ifAbsent(key).put(key, fingerprint);
      } else if (!taken.get().value().equals(fingerprint)) {
        throw new StapesException(
            StapesException.Kind.CONFLICT,
            "image alias " + alias,
            "belongs to another image: " + taken.get().value());
      }
    }
  }

  ImageInfo addAlias(String name, String alias) {
    ImageRecord record = find(name);
    TreeSet<String> aliases = new TreeSet<>(record.info().aliases());
    aliases.add(alias);
    ImageInfo changed = record.info().withAliases(aliases);
    StateStore.Transaction.Builder transaction = update(record, changed);
    claim(record.info().fingerprint(), List.of(alias), transaction);
    state.commit(transaction.build());
    return changed;
  }

  ImageInfo removeAlias(String alias) {
    ImageRecord record = byAlias(alias);
    TreeSet<String> aliases = new TreeSet<>(record.info().aliases());
    aliases.remove(alias);
    ImageInfo changed = record.info().withAliases(aliases);
    state.commit(update(record, changed).remove(ImageRecord.ALIASES + alias).build());
    return changed;
  }

  ImageInfo renameAlias(String alias, String newAlias) {
    ImageRecord record = byAlias(alias);
    if (state.get(ImageRecord.ALIASES + Names.alias(newAlias)).isPresent()) {
      throw new StapesException(
          StapesException.Kind.CONFLICT, "image alias " + newAlias, "exists already");
    }
    TreeSet<String> aliases = new TreeSet<>(record.info().aliases());
    aliases.remove(alias);
    aliases.add(newAlias);
    ImageInfo changed = record.info().withAliases(aliases);
    StateStore.Transaction.Builder transaction =
        update(record, changed).remove(ImageRecord.ALIASES + alias);
    claim(record.info().fingerprint(), List.of(newAlias), transaction);
    state.commit(transaction.build());
    return changed;
  }

  /** Gives an image other properties; CONFLICT where it has changed since it was read. */
  ImageInfo edit(ImageRecord record, SortedMap<String, String> properties) {
    if (properties.equals(record.info().metadata().properties())) {
      return record.info();
    }
    ImageInfo changed =
        record.info().withMetadata(record.info().metadata().withProperties(properties));
    state.commit(update(record, changed).build());
    return changed;
  }

  /**
   * Removes an image with its aliases, and what says that pools have it.
   *
   * @return the names of the volumes that no image has any more
   */
  Set<String> remove(ImageRecord record) {
    Set<String> gone = volumesOf(record);
    state.commit(removal(record, gone).build());
    return gone;
  }

  /** The names of the volumes that no other image has. */
  private Set<String> volumesOf(ImageRecord record) {
    Set<String> its = new HashSet<>(record.volumes());
    for (ImageRecord each : records()) {
      if (!each.info().fingerprint().equals(record.info().fingerprint())) {
        its.removeAll(new HashSet<>(each.volumes()));
      }
    }
    return its;
  }

  private StateStore.Transaction.Builder removal(ImageRecord record, Set<String> gone) {
    String fingerprint = record.info().fingerprint();
    String key = ImageRecord.key(fingerprint);
    StateStore.Transaction.Builder transaction =
        StateStore.Transaction.begin().ifUnchanged(key, record.modified()).remove(key);
    transaction.remove(ImageRecord.USED + fingerprint);
    record.info().aliases().forEach(alias -> transaction.remove(ImageRecord.ALIASES + alias));
    for (StateStore.Entry entry : state.prefix(ImageRecord.VOLUMES)) {
      if (gone.contains(entry.key().substring(entry.key().lastIndexOf('/') + 1))) {
        transaction.remove(entry.key());
      }
    }
    return transaction;
  }

  /**
   * Undoes a {@link #put}, where it has happened: in one go, so that there is no moment without the
   * aliases.
   *
   * @param before what the image was; empty: it was not
   * @param replaced another image as it was, which gets its aliases back
   */
  void takeBack(String fingerprint, Optional<ImageRecord> before, Optional<ImageRecord> replaced) {
    Optional<ImageRecord> put = get(fingerprint);
    if (put.map(ImageRecord::modified).equals(before.map(ImageRecord::modified))) {
      return;
    }
    ImageRecord now = put.orElseThrow();
    StateStore.Transaction.Builder transaction =
        before.map(then -> update(now, then.info())).orElseGet(() -> removal(now, volumesOf(now)));
    now.info().aliases().stream()
        .filter(alias -> before.isEmpty() || !before.get().info().aliases().contains(alias))
        .forEach(alias -> transaction.remove(ImageRecord.ALIASES + alias));
    replaced.ifPresent(then -> restore(then, transaction));
    state.commit(transaction.build());
  }

  private void restore(ImageRecord then, StateStore.Transaction.Builder transaction) {
    String fingerprint = then.info().fingerprint();
    String key = ImageRecord.key(fingerprint);
    transaction
        .ifUnchanged(key, get(fingerprint).orElse(then).modified())
        .put(key, ImageRecord.write(then.info(), then.form()));
    then.info()
        .aliases()
        .forEach(alias -> transaction.put(ImageRecord.ALIASES + alias, fingerprint));
  }

  private ImageRecord byAlias(String alias) {
    StateStore.Entry entry =
        state
            .get(ImageRecord.ALIASES + Names.alias(alias))
            .orElseThrow(() -> StapesException.notFound("image alias " + alias));
    return get(entry.value()).orElseThrow(() -> StapesException.notFound(subject(entry.value())));
  }

  private static StateStore.Transaction.Builder update(ImageRecord record, ImageInfo changed) {
    String key = ImageRecord.key(record.info().fingerprint());
    return StateStore.Transaction.begin()
        .ifUnchanged(key, record.modified())
        .put(key, ImageRecord.write(changed, record.form()));
  }
}
