package dev.stapes.internal.image;

import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.dataformat.yaml.YAMLParser;
import dev.stapes.model.StapesException;
import java.io.IOException;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;

/** The member {@code templates} of {@code metadata.yaml}; the texts are not read yet. */
final class TemplateRules {
  static final int MOST = 100;

  private static final int PROPERTIES = 100;
  private static final int PATH = 1024;
  private static final Set<String> TRIGGERS = Set.of("create", "copy", "rename", "start");
  private static final Pattern MODE = Pattern.compile("0?o?([0-7]{3})");
  private static final Pattern ID = Pattern.compile("[0-9]{1,10}");
  private static final long LARGEST_ID = 0xFFFF_FFFEL;

  private final TreeMap<String, ImageTemplate> rules = new TreeMap<>();

  private TemplateRules() {}

  /** The rules by path. */
  static List<ImageTemplate> read(byte[] metadata) {
    return MetadataYaml.read(
        metadata,
        parser -> {
          TemplateRules all = new TemplateRules();
          while (MetadataYaml.next(parser) == JsonToken.FIELD_NAME) {
            boolean templates = parser.currentName().equals("templates");
            JsonToken value = MetadataYaml.next(parser);
            if (templates && value != JsonToken.VALUE_NULL) {
              all.add(parser, value);
            } else {
              MetadataYaml.skip(parser, value);
            }
          }
          return List.copyOf(all.rules.values());
        });
  }

  private void add(YAMLParser parser, JsonToken start) throws IOException {
    requireMapping(start, "templates");
    while (MetadataYaml.next(parser) == JsonToken.FIELD_NAME) {
      String path = path(parser.currentName());
      requireMapping(MetadataYaml.next(parser), path);
      rules.put(path, new Rule(path).read(parser));
      if (rules.size() > MOST) {
        throw MetadataYaml.wrong("has more than the allowed " + MOST + " templates");
      }
    }
  }

  private static void requireMapping(JsonToken token, String what) {
    if (token != JsonToken.START_OBJECT) {
      throw MetadataYaml.wrong("its " + BadArchive.quote(what) + " is no mapping");
    }
  }

  private static String path(String text) {
    String path = "/" + text.replaceAll("^/+", "");
    boolean leaves = List.of(path.split("/", -1)).contains("..");
    if (leaves || path.endsWith("/") || path.indexOf('\0') >= 0 || path.length() > PATH) {
      throw MetadataYaml.wrong("a template for no path of a file: " + BadArchive.quote(text));
    }
    return path;
  }

  /** One rule in the making. */
  private static final class Rule {
    private final String path;
    private final Set<String> when = new TreeSet<>();
    private final TreeMap<String, String> properties = new TreeMap<>();
    private boolean createOnly;
    private String template = "";
    private long uid;
    private long gid;
    private int mode = 0644;

    Rule(String path) {
      this.path = path;
    }

    ImageTemplate read(YAMLParser parser) throws IOException {
      while (MetadataYaml.next(parser) == JsonToken.FIELD_NAME) {
        String member = parser.currentName();
        JsonToken value = MetadataYaml.next(parser);
        switch (member) {
          case "when" -> triggers(parser, value);
          case "properties" -> properties(parser, value);
          case "create_only" ->
              createOnly = MetadataYaml.scalar(parser, value, member).equals("true");
          case "template" -> template = MetadataYaml.scalar(parser, value, member);
          case "uid" -> uid = id(MetadataYaml.scalar(parser, value, member));
          case "gid" -> gid = id(MetadataYaml.scalar(parser, value, member));
          case "mode" -> mode = mode(MetadataYaml.scalar(parser, value, member));
          default -> MetadataYaml.skip(parser, value);
        }
      }
      if (template.isEmpty() || template.contains("/") || template.matches("\\.{1,2}")) {
        throw wrong("its template is no name of a file", template);
      }
      return new ImageTemplate(path, when, createOnly, template, properties, uid, gid, mode, "");
    }

    private void triggers(YAMLParser parser, JsonToken start) throws IOException {
      if (start != JsonToken.START_ARRAY) {
        throw MetadataYaml.wrong("the triggers of " + BadArchive.quote(path) + " are no list");
      }
      for (JsonToken next = MetadataYaml.next(parser);
          next != JsonToken.END_ARRAY;
          next = MetadataYaml.next(parser)) {
        String trigger = MetadataYaml.scalar(parser, next, "when");
        if (TRIGGERS.contains(trigger)) { // others never come
          when.add(trigger);
        }
      }
    }

    private void properties(YAMLParser parser, JsonToken start) throws IOException {
      if (start == JsonToken.VALUE_NULL) {
        return;
      }
      requireMapping(start, "properties of " + path);
      while (MetadataYaml.next(parser) == JsonToken.FIELD_NAME) {
        String name = parser.currentName();
        properties.put(name, MetadataYaml.scalar(parser, MetadataYaml.next(parser), name));
        if (properties.size() > PROPERTIES) {
          throw MetadataYaml.wrong(
              "has more than the allowed " + PROPERTIES + " properties of a template");
        }
      }
    }

    private long id(String text) {
      if (!text.isEmpty() && (!ID.matcher(text).matches() || Long.parseLong(text) > LARGEST_ID)) {
        throw wrong("its uid or gid is no id", text);
      }
      return text.isEmpty() ? 0 : Long.parseLong(text);
    }

    private int mode(String text) {
      java.util.regex.Matcher octal = MODE.matcher(text);
      if (!octal.matches()) {
        throw wrong("its mode is no number of three octal digits", text);
      }
      return Integer.parseInt(octal.group(1), 8);
    }

    private StapesException wrong(String problem, String value) {
      return MetadataYaml.wrong(
          "the template for "
              + BadArchive.quote(path)
              + ": "
              + problem
              + ": "
              + BadArchive.quote(value));
    }
  }
}
