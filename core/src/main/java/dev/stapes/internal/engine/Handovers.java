package dev.stapes.internal.engine;

import dev.stapes.model.InstanceId;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.DurableFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Who owns a machine that moves between two root directories. Each of the two has an intent that
 * names one file, in the directory of the target. Who makes that file first decides, for both and
 * for ever: {@code target} is only written when all of the machine has arrived, and {@code source}
 * by an open that finds nothing decided.
 */
final class Handovers {
  private static final Logger LOG = LoggerFactory.getLogger(Handovers.class);
  private static final String DIRECTORY = "handovers";

  /** Beside a decision: the source has done what it says. */
  private static final String SETTLED = ".settled";

  private static final int LONGEST = 16;

  /** Whose the machine is. */
  enum Owner {
    SOURCE,
    TARGET
  }

  private final Path root;
  private final Path directory;
  private final Catalog catalog;

  /** Those that arrive in a root directory. */
  Handovers(Path root, Catalog catalog) {
    this.root = root;
    this.directory = root.resolve(DIRECTORY);
    this.catalog = catalog;
  }

  /** The file of a decision that is to be made; it does not exist yet. */
  Path begin(Instant now) {
    makeDirectory();
    return directory.resolve(Ids.ordered(now));
  }

  private void makeDirectory() {
    try {
      Files.createDirectories(directory);
      DurableFile.sync(root);
    } catch (IOException e) {
      throw failed(directory, e);
    }
  }

  /**
   * Decides, unless it has been.
   *
   * @return whose it is, whoever decided that
   * @throws StapesException UNAVAILABLE where nobody can tell now; nothing was decided then
   */
  static Owner decide(Path file, Owner wanted) {
    Path parent = Objects.requireNonNull(file.getParent());
    Path draft = file.resolveSibling(file.getFileName() + "." + Ids.state());
    try {
      Owner owner = wanted;
      try {
        write(draft, wanted.name().toLowerCase(Locale.ROOT));
        Files.createLink(file, draft); // with its content, or not at all
      } catch (FileAlreadyExistsException e) {
        owner = read(file);
      }
      persist(parent, draft);
      return owner;
    } catch (NoSuchFileException e) {
      throw new StapesException(
          Kind.UNAVAILABLE,
          "handover " + file,
          "it moves to a root directory that cannot be reached: if that is gone for good, make the"
              + " empty directory "
              + parent,
          e);
    } catch (IOException e) {
      throw failed(file, e);
    }
  }

  /** It has been decided, and stays so whatever becomes of this. */
  private static void persist(Path parent, Path draft) {
    try {
      Files.deleteIfExists(draft);
      DurableFile.sync(parent);
    } catch (IOException | StapesException e) {
      LOG.warn("handover in {}: may not outlive a loss of power: {}", parent, e.toString());
    }
  }

  private static void write(Path file, String text) throws IOException {
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      channel.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII)));
      channel.force(true);
    }
  }

  private static Owner read(Path file) throws IOException {
    if (Files.size(file) <= LONGEST) {
      String text = Files.readString(file, StandardCharsets.ISO_8859_1);
      for (Owner owner : Owner.values()) {
        if (owner.name().toLowerCase(Locale.ROOT).equals(text)) {
          return owner;
        }
      }
    }
    throw new StapesException(Kind.INTERNAL, "handover " + file, "damaged: it names no owner");
  }

  /** Both have done what it says. */
  static void forget(Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      LOG.warn("handover {}: stays, of no use to anybody: {}", file, e.toString());
    }
  }

  /**
   * Makes the records say what was decided, before anybody looks at what runs: an instance that has
   * left has no record, one that is here has one. All else is done as with each intent: machines
   * without a record end, volumes without one are removed, and what stands still goes on.
   *
   * @param undecided told of those that may have left, and why nobody knows
   */
  void settle(BiConsumer<InstanceRecord, String> undecided) {
    for (Map.Entry<String, Intent> unfinished : catalog.intents().entrySet()) {
      Intent intent = unfinished.getValue();
      Intent.Handover handover = intent.handover();
      if (handover == null) {
        continue;
      }
      InstanceRecord arriving = handover.arriving();
      if (arriving != null) {
        settleArrival(unfinished.getKey(), Path.of(handover.file()), arriving);
      } else {
        settleDeparture(unfinished.getKey(), Path.of(handover.file()), intent, undecided);
      }
    }
    collect();
  }

  /** The directory is ours, and may have been moved. */
  private void settleArrival(String id, Path file, InstanceRecord arriving) {
    makeDirectory();
    if (decide(directory.resolve(file.getFileName()), Owner.SOURCE) == Owner.SOURCE) {
      return;
    }
    InstanceRecord now = arriving;
    if (catalog.idOf(arriving.name()).isPresent()) {
      now = arriving.withName("moved-" + arriving.id());
      LOG.warn("{} has arrived as {}: there is another one", arriving.subject(), now.name());
    }
    catalog.change(false).insert(now).put(id, Intent.stillnessOf(now)).commit();
    catalog.sync();
  }

  private void settleDeparture(
      String id, Path file, Intent intent, BiConsumer<InstanceRecord, String> undecided) {
    InstanceId leaving = new InstanceId(Objects.requireNonNull(intent.frozen()));
    Optional<InstanceRecord> record = catalog.instance(leaving).map(Catalog.Stored::value);
    try {
      if (record.isPresent() && decide(file, Owner.SOURCE) == Owner.SOURCE) {
        return;
      }
      record.ifPresent(gone -> left(id, gone, intent));
      tell(file); // also where a crash kept an earlier one from doing so
    } catch (StapesException e) {
      record.ifPresent(may -> undecided.accept(may, String.valueOf(e.getMessage())));
    } catch (IOException e) {
      LOG.warn("handover {}: its target is not told: {}", file, e.toString());
    }
  }

  private void left(String id, InstanceRecord record, Intent intent) {
    List<Intent.VolumeRef> volumes = new ArrayList<>();
    volumes.add(Intent.VolumeRef.of(record.pool(), record.volumeId()));
    Catalog.Change change = catalog.change(false).remove(record);
    change.put(id, Intent.onVolumes(intent.action(), intent.subject(), volumes)).commit();
    catalog.sync();
  }

  /** The target may forget the decision, if it has not. */
  private static void tell(Path file) throws IOException {
    if (Files.exists(file)) {
      Path settled = settled(file);
      Files.deleteIfExists(settled);
      write(settled, "");
    }
  }

  private static Path settled(Path file) {
    return file.resolveSibling(file.getFileName() + SETTLED);
  }

  /** Removes decisions that nobody will ask for, and what crashes left beside them. */
  private void collect() {
    if (!Files.isDirectory(directory)) {
      return;
    }
    Set<String> needed =
        catalog.intents().values().stream()
            .map(Intent::handover)
            .filter(Objects::nonNull)
            .map(handover -> Path.of(handover.file()).getFileName().toString())
            .collect(Collectors.toSet());
    try (Stream<Path> all = Files.list(directory)) {
      for (Path file : all.sorted().toList()) {
        String name = file.getFileName().toString();
        if (!needed.contains(name.replaceFirst("\\..*", "")) && isOfNoUse(file, name)) {
          Files.deleteIfExists(file);
        }
      }
    } catch (IOException | StapesException e) {
      LOG.warn("handovers that are of no use stay: {}", e.toString());
    }
  }

  private static boolean isOfNoUse(Path file, String name) throws IOException {
    if (name.endsWith(SETTLED)) {
      String of = name.substring(0, name.length() - SETTLED.length());
      return Files.notExists(file.resolveSibling(of));
    }
    return name.contains(".") || Files.exists(settled(file)) || read(file) == Owner.SOURCE;
  }

  private static StapesException failed(Path file, IOException e) {
    if (e instanceof ClosedByInterruptException) {
      return new StapesException(Kind.INTERRUPTED, "handover " + file, "interrupted", e);
    }
    return new StapesException(Kind.UNAVAILABLE, "handover " + file, e.toString(), e);
  }
}
