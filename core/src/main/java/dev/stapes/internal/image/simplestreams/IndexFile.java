package dev.stapes.internal.image.simplestreams;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** The document that names those with products. */
final class IndexFile {
  /** Where it is. */
  static final String PATH = "streams/v1/index.json";

  /** Bytes that it may have. */
  static final int MOST = 16 << 20;

  private static final String FORMAT = "index:1.0";
  private static final int MEMBERS = 10_000;
  private static final int LARGEST = 100;

  private IndexFile() {}

  /** Where the products are that are images. */
  static List<String> read(String subject, byte[] content) {
    return StreamsJson.read(
        subject,
        content,
        json -> {
          List<String> paths = new ArrayList<>();
          List<String> formats = new ArrayList<>();
          json.members(
              "the index",
              MEMBERS,
              member -> {
                switch (member) {
                  case "format" -> formats.add(json.text(member));
                  case "index" -> json.members(member, MEMBERS, name -> entry(json, paths));
                  default -> json.skip();
                }
              });
          if (!formats.equals(List.of(FORMAT))) {
            throw json.wrong("is not of the format " + FORMAT);
          }
          List<String> distinct = paths.stream().distinct().toList();
          if (distinct.size() > LARGEST) {
            throw json.wrong("names more than the allowed " + LARGEST + " files of products");
          }
          return distinct;
        });
  }

  private static void entry(StreamsJson json, List<String> paths) throws IOException {
    Entry entry = new Entry();
    json.members(
        "an entry of the index",
        MEMBERS,
        member -> {
          switch (member) {
            case "datatype" -> entry.type = json.text(member);
            case "path" -> entry.path = json.text(member);
            case "products" -> entry.filled = json.isFilledArray();
            default -> json.skip();
          }
        });
    if (entry.type.equals("image-downloads") && entry.filled) {
      paths.add(entry.path);
    }
  }

  private static final class Entry {
    private String type = "";
    private String path = "";
    private boolean filled;
  }
}
