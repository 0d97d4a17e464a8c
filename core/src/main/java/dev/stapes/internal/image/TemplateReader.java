package dev.stapes.internal.image;

import dev.stapes.model.ImageMetadata;
import dev.stapes.model.Progress;
import dev.stapes.model.StapesException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Finds the templates in the archive of an image: the rules in {@code metadata.yaml}, the texts
 * below {@code templates/}. An archive whose rules need no text is read no further than those.
 */
final class TemplateReader {
  private static final String DIRECTORY = "templates";
  private static final int MOST_BYTES = 1 << 20;
  private static final int MOST_IN_ALL = 8 << 20;

  /** Those of an archive with a disk: whatever is beside the templates is passed over. */
  private static final ArchiveLimits LIMITS = DiskUnpacker.LIMITS;

  private final Map<String, String> texts = new HashMap<>();
  private final Set<String> missing = new HashSet<>();
  private Optional<List<ImageTemplate>> rules = Optional.empty();
  private boolean found;
  private long bytes;

  private TemplateReader() {}

  /**
   * Reads them.
   *
   * @param archive a unified image, or the first file of a split one
   * @throws StapesException INVALID where they are none
   */
  static Optional<ImageTemplates> read(Path archive, ImageMetadata metadata) {
    TemplateReader reader = new TemplateReader();
    try (ArchiveInput in = ArchiveInput.open(archive, LIMITS, Progress.NONE, "read")) {
      reader.scan(new TarReader(in, LIMITS));
    } catch (StapesException e) {
      if (reader.found || e.kind() != StapesException.Kind.INVALID) {
        throw e;
      }
      // What is no image at all is refused when it is unpacked.
      return Optional.empty();
    }
    List<ImageTemplate> files = reader.files();
    return files.isEmpty()
        ? Optional.empty()
        : Optional.of(new ImageTemplates(metadata.architecture(), files));
  }

  private void scan(TarReader tar) {
    for (Optional<TarEntry> next = tar.next(); next.isPresent(); next = tar.next()) {
      TarEntry entry = next.get();
      List<String> names = EntryPath.of(entry.name(), ArchiveLimits.USUAL).names();
      if (names.equals(List.of(MetadataYaml.NAME)) && rules.isEmpty()) {
        found = true;
        rules = Optional.of(TemplateRules.read(tar.content(entry, MetadataYaml.LIMIT)));
        missing.addAll(wanted());
        missing.removeAll(texts.keySet());
      } else if (names.size() == 2 && names.get(0).equals(DIRECTORY) && isWanted(names.get(1))) {
        text(entry, names.get(1), tar);
      }
      if (rules.isPresent() && missing.isEmpty()) {
        return;
      }
    }
  }

  private Set<String> wanted() {
    return rules.orElse(List.of()).stream()
        .filter(rule -> !rule.when().isEmpty())
        .map(ImageTemplate::template)
        .collect(Collectors.toSet());
  }

  private boolean isWanted(String name) {
    return rules.isEmpty() ? texts.size() < TemplateRules.MOST : missing.contains(name);
  }

  private void text(TarEntry entry, String name, TarReader tar) {
    if (entry.kind() == TarEntry.Kind.DIRECTORY) {
      return;
    }
    byte[] content = tar.content(entry, MOST_BYTES);
    bytes += content.length;
    if (bytes > MOST_IN_ALL) {
      throw BadArchive.because("its templates have more than " + MOST_IN_ALL + " bytes");
    }
    texts.put(name, TarFormat.text(content, "template"));
    missing.remove(name);
  }

  private List<ImageTemplate> files() {
    return rules.orElse(List.of()).stream()
        .filter(rule -> !rule.when().isEmpty())
        .map(rule -> rule.withText(textOf(rule)))
        .toList();
  }

  private String textOf(ImageTemplate rule) {
    String text = texts.get(rule.template());
    if (text == null) {
      throw BadArchive.because(
          "has no "
              + BadArchive.quote(DIRECTORY + "/" + rule.template())
              + ", of which it makes "
              + BadArchive.quote(rule.path()));
    }
    return text;
  }
}
