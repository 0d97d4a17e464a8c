package dev.stapes.internal.image.remote;

import dev.stapes.internal.digest.Sha256;
import dev.stapes.internal.http.Answer;
import dev.stapes.internal.http.HttpQuery;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;
import java.util.UUID;

/** A document that a server has sent, with what it has said to recognise it by. */
final class KeptDocument {
  private static final String MAGIC = "stapes document 1";
  private static final String PREFIX = "document-";
  private static final int LONGEST_MARK = 1_000;

  private final URI uri;
  private final String tag;
  private final String time;
  private final byte[] body;

  private KeptDocument(URI uri, String tag, String time, byte[] body) {
    this.uri = uri;
    this.tag = tag;
    this.time = time;
    this.body = body;
  }

  /** What an answer has brought; empty where the server said nothing to recognise it by. */
  static Optional<KeptDocument> of(URI uri, Answer answer) {
    String tag = mark(answer, "ETag");
    String time = mark(answer, "Last-Modified");
    return tag.isEmpty() && time.isEmpty()
        ? Optional.empty()
        : Optional.of(new KeptDocument(uri, tag, time, answer.body()));
  }

  private static String mark(Answer answer, String header) {
    return answer
        .headers()
        .firstValue(header)
        .filter(text -> text.length() <= LONGEST_MARK)
        .orElse("");
  }

  /** Not copied. */
  byte[] body() {
    return body;
  }

  /** Asks for what is not this. */
  HttpQuery condition(HttpQuery query) {
    HttpQuery conditional = tag.isEmpty() ? query : query.with(HttpQuery.IF_NONE_MATCH, tag);
    return time.isEmpty() ? conditional : conditional.with(HttpQuery.IF_MODIFIED_SINCE, time);
  }

  /** Appears whole or not at all. */
  void write(Path directory) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(body.length + 2 * LONGEST_MARK);
    DataOutputStream out = new DataOutputStream(bytes);
    out.writeUTF(MAGIC);
    out.writeUTF(Sha256.hex(uri.toString()));
    out.writeUTF(tag);
    out.writeUTF(time);
    out.writeUTF(Sha256.hex(body));
    out.write(body);
    Path partial = directory.resolve(PREFIX + UUID.randomUUID());
    try {
      Files.write(partial, bytes.toByteArray());
      Files.move(partial, file(directory, uri), StandardCopyOption.ATOMIC_MOVE);
    } finally {
      Files.deleteIfExists(partial);
    }
  }

  /** Empty where there is none, and where it is damaged. */
  static Optional<KeptDocument> read(Path directory, URI uri) {
    try {
      byte[] bytes = Files.readAllBytes(file(directory, uri));
      DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes));
      boolean known = in.readUTF().equals(MAGIC) && in.readUTF().equals(Sha256.hex(uri.toString()));
      String tag = in.readUTF();
      String time = in.readUTF();
      String sha256 = in.readUTF();
      byte[] body = in.readAllBytes();
      return known && sha256.equals(Sha256.hex(body)) && isMark(tag) && isMark(time)
          ? Optional.of(new KeptDocument(uri, tag, time, body))
          : Optional.empty();
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  /** One that can be a header. */
  private static boolean isMark(String text) {
    return text.chars().noneMatch(c -> c < ' ' || c > '~');
  }

  private static Path file(Path directory, URI uri) {
    return directory.resolve(PREFIX + Sha256.hex(uri.toString()));
  }
}
