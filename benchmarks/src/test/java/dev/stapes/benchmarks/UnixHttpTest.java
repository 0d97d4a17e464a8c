package dev.stapes.benchmarks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class UnixHttpTest {
  private static InputStream text(String text) {
    return new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8));
  }

  private static String answer(InputStream in) throws IOException {
    return new String(UnixHttp.answer(in), StandardCharsets.UTF_8);
  }

  @Test
  void a_body_has_the_length_that_the_head_says() throws Exception {
    InputStream in =
        text(
            "HTTP/1.1 200 OK\r\nCONTENT-LENGTH: 5\r\n\r\nfirst"
                + "HTTP/1.1 202 Accepted\r\nContent-Length: 6\r\n\r\nsecond");
    assertEquals("first", answer(in));
    assertEquals("second", answer(in));
  }

  @Test
  void chunks_are_put_together_and_trailers_skipped() throws Exception {
    List<String> lines =
        List.of(
            "HTTP/1.1 200 OK",
            "Transfer-Encoding: chunked",
            "",
            "3",
            "abc",
            "A;x=1",
            "0123456789",
            "0",
            "Trailer: 1",
            "",
            "HTTP/1.1 200 OK",
            "Content-Length: 1",
            "",
            "!");
    InputStream in = text(String.join("\r\n", lines));
    assertEquals("abc0123456789", answer(in));
    assertEquals("!", answer(in));
  }

  @Test
  void an_answer_without_a_body_is_empty() throws Exception {
    assertEquals("", answer(text("HTTP/1.1 204 No Content\r\n\r\n")));
  }

  @Test
  void an_answer_that_ends_early_is_an_error() {
    assertThrows(EOFException.class, () -> answer(text("HTTP/1.1 200 OK\r\nContent-Le")));
    assertThrows(
        EOFException.class, () -> answer(text("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfour")));
  }

  @Test
  void what_is_no_answer_is_quoted() {
    IOException e = assertThrows(IOException.class, () -> answer(text("SSH-2.0-x\r\n")));
    assertEquals("not an answer of HTTP/1.1: \"SSH-2.0-x\"", e.getMessage());
  }
}
