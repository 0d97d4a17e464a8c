package dev.stapes.internal.image;

import dev.stapes.model.ImageMetadata;
import dev.stapes.model.PublishSpec;
import dev.stapes.spi.ImageSource;
import dev.stapes.spi.Tree;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Supplier;

/** The root disk of an instance, which does not change meanwhile, as a unified image. */
public final class PublishedSource implements ImageSource {
  private final String description;
  private final Supplier<Tree> files;
  private final ImageMetadata metadata;
  private final List<ImageTemplate> templates;
  private final PublishSpec.Compression compression;

  /**
   * Nothing is read yet.
   *
   * @param description what it is, in words
   * @param files opens the root disk, with owners as a machine sees them
   * @param templates that the image is to have; their texts may share a name
   */
  public PublishedSource(
      String description,
      Supplier<Tree> files,
      ImageMetadata metadata,
      List<ImageTemplate> templates,
      PublishSpec.Compression compression) {
    this.description = description;
    this.files = files;
    this.metadata = metadata;
    this.templates = List.copyOf(templates);
    this.compression = compression;
  }

  @Override
  public String describe() {
    return description;
  }

  @Override
  public Fetched fetch(Context context) {
    Path archive = context.work().resolve("published");
    Instant time = metadata.createdAt();
    try (Tree tree = files.get()) {
      RootfsPacker packer =
          new RootfsPacker(tree, Optional.empty(), path -> true, context.progress());
      ArchiveFile.write(
          archive,
          compression,
          MetadataYaml.write(metadata, templates),
          time,
          tar -> {
            addTemplates(templates, tar, time);
            packer.add(tar);
          });
    }
    return new Fetched(archive, metadata);
  }

  static void addTemplates(List<ImageTemplate> templates, TarWriter tar, Instant time)
      throws IOException {
    TreeMap<String, String> texts = new TreeMap<>();
    templates.forEach(template -> texts.put(template.template(), template.text()));
    for (Map.Entry<String, String> text : texts.entrySet()) {
      byte[] content = text.getValue().getBytes(StandardCharsets.UTF_8);
      tar.add(TarEntry.file("templates/" + text.getKey(), 0644, content.length, time), content);
    }
  }
}
