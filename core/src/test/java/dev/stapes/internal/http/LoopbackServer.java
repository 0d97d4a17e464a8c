package dev.stapes.internal.http;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;

/** A server on loopback that answers what a test wants, byte by byte, and forgets nothing. */
public final class LoopbackServer implements AutoCloseable {
  private final ServerSocket socket;
  private final Handler handler;
  private final Thread acceptor;
  private final List<Thread> workers = new ArrayList<>();
  private final List<Socket> connections = new ArrayList<>();
  private final List<Request> requests = new ArrayList<>();
  private final CountDownLatch closed = new CountDownLatch(1);
  private final CountDownLatch hanging = new CountDownLatch(1);
  private long sent;

  /** Listens. */
  public LoopbackServer(Handler handler) {
    this.handler = handler;
    try {
      this.socket = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    this.acceptor = new Thread(this::accept, "loopback-server");
    acceptor.start();
  }

  /** Answers a request. */
  @FunctionalInterface
  public interface Handler {
    /** What is not answered is a connection that ends. */
    void answer(Request request, Response response) throws IOException, InterruptedException;
  }

  /**
   * What was asked.
   *
   * @param headers names in lower case
   */
  public record Request(String method, String path, Map<String, String> headers) {
    /** A header, empty where it is missing. */
    public String header(String name) {
      return headers.getOrDefault(name, "");
    }
  }

  /** An address of this server. */
  public URI uri(String path) {
    return URI.create("http://127.0.0.1:" + socket.getLocalPort() + path);
  }

  /** The same address of the same server under another name. */
  public URI otherUri(String path) {
    return URI.create("http://localhost:" + socket.getLocalPort() + path);
  }

  /** What was asked so far. */
  public synchronized List<Request> requests() {
    return List.copyOf(requests);
  }

  /** How often a path was asked for. */
  public long count(String path) {
    return requests().stream().filter(request -> request.path().equals(path)).count();
  }

  /** Bytes of bodies that were sent. */
  public synchronized long sent() {
    return sent;
  }

  /** Until somebody waits for an answer that does not come. */
  public void awaitHanging() throws InterruptedException {
    hanging.await();
  }

  private void accept() {
    try {
      while (true) {
        Socket connection = socket.accept();
        Thread worker = new Thread(() -> serve(connection), "loopback-server");
        synchronized (this) {
          connections.add(connection);
          workers.add(worker);
        }
        worker.start();
      }
    } catch (IOException e) {
      closed.countDown();
    }
  }

  private void serve(Socket connection) {
    try (connection) {
      BufferedReader in =
          new BufferedReader(
              new InputStreamReader(connection.getInputStream(), StandardCharsets.ISO_8859_1));
      String first = in.readLine();
      if (first == null) {
        return;
      }
      Map<String, String> headers = new HashMap<>();
      for (String line = in.readLine(); line != null && !line.isEmpty(); line = in.readLine()) {
        String name = line.substring(0, line.indexOf(':'));
        headers.put(name.toLowerCase(Locale.ROOT), line.substring(name.length() + 1).trim());
      }
      String[] words = first.split(" ");
      Request request = new Request(words[0], words[1], headers);
      synchronized (this) {
        requests.add(request);
      }
      handler.answer(request, new Response(connection.getOutputStream(), request));
    } catch (IOException e) {
      // The client is gone, which is what many a test wants.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** An answer on its way. */
  public final class Response {
    private final OutputStream out;
    private final Request request;

    private Response(OutputStream out, Request request) {
      this.out = out;
      this.request = request;
    }

    /** The begin of an answer. */
    public void begin(int status, long length, String... headers) throws IOException {
      StringBuilder head = new StringBuilder("HTTP/1.1 " + status + " x\r\n");
      for (String header : headers) {
        head.append(header).append("\r\n");
      }
      head.append("Content-Length: ").append(length).append("\r\nConnection: close\r\n\r\n");
      out.write(head.toString().getBytes(StandardCharsets.ISO_8859_1));
      out.flush();
    }

    /** A part of the body, counted before a client can have it. */
    public void write(byte[] part) throws IOException {
      synchronized (LoopbackServer.this) {
        sent += part.length;
      }
      out.write(part);
      out.flush();
    }

    /** All of it. */
    public void send(int status, byte[] body, String... headers) throws IOException {
      begin(status, body.length, headers);
      if (!request.method().equals("HEAD")) {
        write(body);
      }
    }

    /** All of it. */
    public void send(int status, String body, String... headers) throws IOException {
      send(status, body.getBytes(StandardCharsets.UTF_8), headers);
    }

    /** Leads elsewhere. */
    public void redirect(String location) throws IOException {
      send(302, "", "Location: " + location);
    }

    /** A file, as a good server sends it. */
    public void file(byte[] content, @Nullable String tag) throws IOException {
      file(content, tag, content.length);
    }

    /** A file, of which so many bytes come before the connection ends. */
    public void file(byte[] content, @Nullable String tag, int most) throws IOException {
      String header = tag == null ? "X-Tag: none" : "ETag: " + tag;
      if (tag != null && request.header("if-none-match").equals(tag)) {
        begin(304, 0, header);
        return;
      }
      String condition = request.header("if-range");
      int from = 0;
      if (request.header("range").matches("bytes=\\d+-")
          && (condition.isEmpty() || condition.equals(tag))) {
        from = Integer.parseInt(request.header("range").replaceAll("\\D", ""));
        if (from >= content.length) {
          send(416, "", "Content-Range: bytes */" + content.length);
          return;
        }
        String range = "bytes " + from + "-" + (content.length - 1) + "/" + content.length;
        begin(206, content.length - from, header, "Content-Range: " + range);
      } else {
        begin(200, content.length, header);
      }
      if (!request.method().equals("HEAD")) {
        write(Arrays.copyOfRange(content, from, Math.min(content.length, from + most)));
      }
    }

    /** Says nothing any more, until the server is closed. */
    public void hang() throws InterruptedException {
      hanging.countDown();
      closed.await();
    }
  }

  @Override
  public void close() {
    closed.countDown();
    try {
      socket.close();
      List<Thread> threads;
      synchronized (this) {
        for (Socket connection : connections) {
          connection.close();
        }
        threads = List.copyOf(workers);
      }
      acceptor.join();
      for (Thread worker : threads) {
        worker.join();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
