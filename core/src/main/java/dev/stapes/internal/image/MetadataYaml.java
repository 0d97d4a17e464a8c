package dev.stapes.internal.image;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import com.fasterxml.jackson.dataformat.yaml.YAMLParser;
import com.fasterxml.jackson.dataformat.yaml.util.StringQuotingChecker;
import dev.stapes.model.ImageMetadata;
import dev.stapes.model.StapesException;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The file {@code metadata.yaml} of an image, as Incus writes it. Members that are not known are
 * passed over. Read event by event, so that scalars keep their text ({@code 3.20} stays that) and
 * nothing is built that a small file could make large.
 */
final class MetadataYaml {
  /** Its name in the archive. */
  static final String NAME = "metadata.yaml";

  /** Larger ones are not read. */
  static final int LIMIT = 1 << 20;

  private static final int DEPTH = 32;
  private static final int PROPERTIES = 1_000;

  private static final YAMLFactory YAML =
      YAMLFactory.builder()
          .disable(YAMLGenerator.Feature.WRITE_DOC_START_MARKER)
          .enable(YAMLGenerator.Feature.MINIMIZE_QUOTES)
          .enable(YAMLGenerator.Feature.ALWAYS_QUOTE_NUMBERS_AS_STRINGS)
          .stringQuotingChecker(new LineBreaksQuoted())
          .build();

  private MetadataYaml() {}

  /**
   * Reads it.
   *
   * @throws StapesException INVALID, with the value that is wrong
   */
  static ImageMetadata read(byte[] content) {
    return read(content, MetadataYaml::members);
  }

  /** Reads the members of the mapping that it is. */
  interface Members<T> {
    /** Behind the start of the mapping. */
    T read(YAMLParser parser) throws IOException;
  }

  static <T> T read(byte[] content, Members<T> members) {
    String text = TarFormat.text(content, NAME);
    try (YAMLParser parser = YAML.createParser(text)) {
      if (parser.nextToken() != JsonToken.START_OBJECT) {
        throw wrong("is no mapping");
      }
      return members.read(parser);
    } catch (IOException | RuntimeException e) {
      if (e instanceof StapesException known) {
        throw known;
      }
      throw new StapesException(
          StapesException.Kind.INVALID, NAME, "is no YAML: " + firstLine(e.getMessage()), e);
    }
  }

  private static ImageMetadata members(YAMLParser parser) throws IOException {
    String architecture = "";
    Instant createdAt = Instant.EPOCH;
    TreeMap<String, String> properties = new TreeMap<>();
    while (next(parser) == JsonToken.FIELD_NAME) {
      String member = parser.currentName();
      JsonToken value = next(parser);
      switch (member) {
        case "architecture" -> architecture = scalar(parser, value, member);
        case "creation_date" -> createdAt = time(scalar(parser, value, member));
        case "properties" -> properties(parser, value, properties);
        default -> skip(parser, value);
      }
    }
    if (architecture.isEmpty()) {
      throw wrong("has no architecture");
    }
    return ImageMetadata.container(Architectures.kernelName(architecture), createdAt, properties);
  }

  private static void properties(YAMLParser parser, JsonToken start, Map<String, String> into)
      throws IOException {
    if (start == JsonToken.VALUE_NULL) {
      return;
    }
    if (start != JsonToken.START_OBJECT) {
      throw wrong("its properties are no mapping");
    }
    while (next(parser) == JsonToken.FIELD_NAME) {
      String name = parser.currentName();
      into.put(name, scalar(parser, next(parser), name));
      if (into.size() > PROPERTIES) {
        throw wrong("has more than the allowed " + PROPERTIES + " properties");
      }
    }
  }

  static JsonToken next(YAMLParser parser) throws IOException {
    JsonToken token = parser.nextToken();
    if (token == null) {
      throw wrong("ends early");
    }
    if (parser.isCurrentAlias()) {
      throw wrong("uses an alias (*" + BadArchive.quote(parser.getText()) + ")");
    }
    return token;
  }

  static String scalar(YAMLParser parser, JsonToken token, String member) throws IOException {
    if (!token.isScalarValue()) {
      throw wrong("its " + BadArchive.quote(member) + " is no plain value");
    }
    return token == JsonToken.VALUE_NULL ? "" : parser.getText();
  }

  static void skip(YAMLParser parser, JsonToken start) throws IOException {
    int depth = 0;
    JsonToken token = start;
    while (true) {
      if (token.isStructStart() && ++depth > DEPTH) {
        throw wrong("is nested deeper than the allowed " + DEPTH);
      }
      if (token.isStructEnd()) {
        depth--;
      }
      if (depth == 0) {
        return;
      }
      token = next(parser);
    }
  }

  private static Instant time(String seconds) {
    try {
      long value = Long.parseLong(seconds);
      return Instant.ofEpochSecond(Math.min(Math.max(value, 0), Integer.MAX_VALUE * 4L));
    } catch (NumberFormatException e) {
      throw new StapesException(
          StapesException.Kind.INVALID,
          NAME,
          "its creation_date is no number of seconds: " + BadArchive.quote(seconds),
          e);
    }
  }

  /** Writes it; the same metadata always give the same bytes. */
  static byte[] write(ImageMetadata metadata) {
    return write(metadata, List.of());
  }

  /** The same with rules for templates, whose texts are files of their own. */
  static byte[] write(ImageMetadata metadata, List<ImageTemplate> templates) {
    StringWriter text = new StringWriter();
    try (JsonGenerator yaml = YAML.createGenerator(text)) {
      yaml.writeStartObject();
      yaml.writeStringField("architecture", metadata.architecture());
      yaml.writeNumberField("creation_date", metadata.createdAt().getEpochSecond());
      yaml.writeObjectFieldStart("properties");
      for (Map.Entry<String, String> property : metadata.properties().entrySet()) {
        yaml.writeStringField(property.getKey(), property.getValue());
      }
      yaml.writeEndObject();
      if (!templates.isEmpty()) {
        yaml.writeObjectFieldStart("templates");
        for (ImageTemplate template : templates) {
          write(template, yaml);
        }
        yaml.writeEndObject();
      }
      yaml.writeEndObject();
    } catch (IOException e) {
      throw new StapesException(
          StapesException.Kind.INTERNAL, NAME, "cannot be written: " + e.getMessage(), e);
    }
    return text.toString().getBytes(StandardCharsets.UTF_8);
  }

  private static void write(ImageTemplate template, JsonGenerator yaml) throws IOException {
    yaml.writeObjectFieldStart(template.path());
    yaml.writeArrayFieldStart("when");
    for (String trigger : template.when()) {
      yaml.writeString(trigger);
    }
    yaml.writeEndArray();
    yaml.writeBooleanField("create_only", template.createOnly());
    yaml.writeStringField("template", template.template());
    yaml.writeObjectFieldStart("properties");
    for (Map.Entry<String, String> property : template.properties().entrySet()) {
      yaml.writeStringField(property.getKey(), property.getValue());
    }
    yaml.writeEndObject();
    yaml.writeStringField("uid", Long.toString(template.uid()));
    yaml.writeStringField("gid", Long.toString(template.gid()));
    yaml.writeStringField("mode", String.format(Locale.ROOT, "%04o", template.mode()));
    yaml.writeEndObject();
  }

  /** A block changes line breaks at its end; NEL and the separators of Unicode break lines, too. */
  private static final class LineBreaksQuoted extends StringQuotingChecker.Default {
    private static final long serialVersionUID = 1;

    @Override
    public boolean needToQuoteName(String name) {
      return super.needToQuoteName(name) || breaks(name);
    }

    @Override
    public boolean needToQuoteValue(String value) {
      return super.needToQuoteValue(value) || breaks(value);
    }

    private static boolean breaks(String text) {
      return text.chars().anyMatch(c -> c == '\n' || c == 0x85 || c == 0x2028 || c == 0x2029);
    }
  }

  static StapesException wrong(String problem) {
    return StapesException.invalid(NAME, problem);
  }

  private static String firstLine(@Nullable String message) {
    return message == null ? "" : message.lines().findFirst().orElse("");
  }
}
