package dev.stapes.internal.image.simplestreams;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import dev.stapes.model.StapesException;
import java.io.IOException;

/**
 * Reads a document of a server member by member: nothing is built but what is wanted, and nothing
 * without a limit.
 */
final class StreamsJson {
  private static final int DEPTH = 32;
  private static final int LONGEST_TEXT = 1 << 16;
  private static final int LONGEST_NAME = 1 << 10;
  private static final int LONGEST_NUMBER = 32;
  private static final long LARGEST_SIZE = 1L << 50;

  private static final JsonFactory JSON =
      JsonFactory.builder()
          .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxNestingDepth(DEPTH)
                  .maxStringLength(LONGEST_TEXT)
                  .maxNameLength(LONGEST_NAME)
                  .maxNumberLength(LONGEST_NUMBER)
                  .build())
          .build();

  private final String subject;
  private final JsonParser parser;

  private StreamsJson(String subject, JsonParser parser) {
    this.subject = subject;
    this.parser = parser;
  }

  /** Reads one value of the document, which the parser stands at. */
  @FunctionalInterface
  interface Member {
    void read(String name) throws IOException;
  }

  /** Reads a document. */
  @FunctionalInterface
  interface Document<T> {
    T read(StreamsJson json) throws IOException;
  }

  /**
   * Reads all of a document.
   *
   * @param subject its address, for errors
   * @throws StapesException INVALID where it is none
   */
  static <T> T read(String subject, byte[] content, Document<T> document) {
    try (JsonParser parser = JSON.createParser(content)) {
      parser.nextToken();
      StreamsJson json = new StreamsJson(subject, parser);
      T result = document.read(json);
      if (parser.nextToken() != null) {
        throw json.wrong("goes on behind its end");
      }
      return result;
    } catch (IOException | RuntimeException e) {
      if (e instanceof StapesException known) {
        throw known;
      }
      throw new StapesException(
          StapesException.Kind.INVALID, subject, "is no JSON of an image server: " + words(e), e);
    }
  }

  private static String words(Exception e) {
    if (e instanceof JsonProcessingException json) {
      JsonLocation place = json.getLocation();
      String where = place == null ? "" : " (byte " + place.getByteOffset() + ")";
      return String.valueOf(json.getOriginalMessage()).lines().findFirst().orElse("") + where;
    }
    return e.getClass().getSimpleName();
  }

  /**
   * Reads the members of an object; null is one without any.
   *
   * @param what it is, for errors
   * @param most members that it may have
   */
  void members(String what, int most, Member reader) throws IOException {
    if (parser.currentToken() == JsonToken.VALUE_NULL) {
      return;
    }
    if (parser.currentToken() != JsonToken.START_OBJECT) {
      throw wrong(what + " is no object");
    }
    for (int count = 1; parser.nextToken() == JsonToken.FIELD_NAME; count++) {
      if (count > most) {
        throw wrong(what + " has more than the allowed " + most + " members");
      }
      String name = parser.currentName();
      parser.nextToken();
      reader.read(name);
    }
  }

  /** Whether an array at which it stands has something in it; it is passed over. */
  boolean isFilledArray() throws IOException {
    if (parser.currentToken() != JsonToken.START_ARRAY) {
      skip();
      return false;
    }
    boolean filled = false;
    while (parser.nextToken() != JsonToken.END_ARRAY) {
      parser.skipChildren();
      filled = true;
    }
    return filled;
  }

  /** A text, or a number or truth value as one; null is empty. */
  String text(String what) throws IOException {
    JsonToken token = parser.currentToken();
    if (token == null || !token.isScalarValue()) {
      throw wrong(what + " is no plain value");
    }
    return token == JsonToken.VALUE_NULL ? "" : parser.getText();
  }

  /** A number of bytes. */
  long size(String what) throws IOException {
    if (parser.currentToken() == JsonToken.VALUE_NUMBER_INT) {
      long number = parser.getLongValue();
      if (number >= 0 && number <= LARGEST_SIZE) {
        return number;
      }
    }
    throw wrong(what + " is no number from 0 to " + LARGEST_SIZE);
  }

  /** Passes a value over. */
  void skip() throws IOException {
    parser.skipChildren();
  }

  /** What is wrong with it. */
  StapesException wrong(String problem) {
    return StapesException.invalid(subject, problem);
  }
}
