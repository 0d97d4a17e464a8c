package dev.stapes.qemu.driver;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.qmp.QmpClient;
import dev.stapes.qmp.QmpClosedException;
import dev.stapes.qmp.QmpCommandException;
import dev.stapes.qmp.QmpException;
import dev.stapes.qmp.QmpTimeoutException;
import dev.stapes.qmp.RawCommand;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * The qemu-guest-agent in a guest. It is in the guest's hands: what it says is checked, and may
 * never come. For one command at a time; others wait.
 */
final class GuestAgent implements AutoCloseable {
  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
  private static final Duration REPLY = Duration.ofSeconds(30);

  private final String subject;
  private final AgentPort port;
  private @Nullable QmpClient client;
  private boolean closed;

  GuestAgent(String subject, AgentPort port) {
    this.subject = subject;
    this.port = port;
  }

  /** The way to the agent. */
  interface AgentPort {
    /**
     * Waits until somebody in the guest has opened the port, and connects to it.
     *
     * @throws StapesException UNAVAILABLE where nobody has
     */
    QmpClient connect();
  }

  /**
   * How a program is doing.
   *
   * @param code exit code as a shell reports it; empty: it runs
   * @param stdout what it wrote, once it has ended
   * @param stderr what it complained of, once it has ended
   */
  record Status(OptionalInt code, byte[] stdout, byte[] stderr) {}

  /** Waits until it is there; the guest may just be booting. */
  void await() {
    connected();
  }

  /** Starts a program with nothing but what is given, and returns its pid. */
  long exec(List<String> command, byte[] input, boolean capture) {
    ObjectNode arguments = JSON.objectNode().put("path", command.get(0));
    command.subList(1, command.size()).forEach(arguments.withArray("arg")::add);
    if (input.length > 0) {
      arguments.put("input-data", Base64.getEncoder().encodeToString(input));
    }
    arguments.put("capture-output", capture);
    return number(call("guest-exec", arguments), "pid");
  }

  /** How it is doing; after its end it is forgotten. */
  Status status(long pid) {
    JsonNode status = call("guest-exec-status", JSON.objectNode().put("pid", pid));
    if (!status.path("exited").asBoolean()) {
      return new Status(OptionalInt.empty(), new byte[0], new byte[0]);
    }
    int code =
        status.has("signal")
            ? 128 + status.path("signal").asInt()
            : status.path("exitcode").asInt(0);
    return new Status(OptionalInt.of(code), bytes(status, "out-data"), bytes(status, "err-data"));
  }

  /** A command without an answer of interest. */
  void tell(String command) {
    call(command, JSON.objectNode());
  }

  /** A command, and what it returns. */
  JsonNode call(String command, ObjectNode arguments) {
    try {
      return connected().execute(new RawCommand(command, arguments), REPLY);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StapesException(Kind.INTERRUPTED, subject, "interrupted", e);
    } catch (QmpCommandException e) {
      throw new StapesException(
          Kind.UNAVAILABLE, subject, "its agent refuses " + command + ": " + e.getMessage(), e);
    } catch (QmpTimeoutException e) {
      throw new StapesException(
          Kind.TIMED_OUT, subject, "its agent does not answer to " + command, e);
    } catch (QmpClosedException e) {
      disconnect();
      throw new StapesException(Kind.UNAVAILABLE, subject, "its agent is gone", e);
    } catch (QmpException e) {
      throw new StapesException(
          Kind.UNAVAILABLE, subject, "its agent fails at " + command + ": " + e.getMessage(), e);
    }
  }

  private synchronized QmpClient connected() {
    if (closed) {
      throw new StapesException(Kind.UNAVAILABLE, subject, "it was let go of");
    }
    if (client == null) {
      client = port.connect();
    }
    return client;
  }

  /** The next command connects anew. */
  synchronized void disconnect() {
    QmpClient old = client;
    client = null;
    if (old != null) {
      old.close();
    }
  }

  private long number(JsonNode answer, String member) {
    JsonNode value = answer.path(member);
    if (!value.canConvertToLong() || !value.isIntegralNumber()) {
      throw new StapesException(
          Kind.UNAVAILABLE, subject, "its agent answers without \"" + member + "\"");
    }
    return value.longValue();
  }

  private byte[] bytes(JsonNode answer, String member) {
    try {
      return Base64.getDecoder().decode(answer.path(member).asText(""));
    } catch (IllegalArgumentException e) {
      throw new StapesException(
          Kind.UNAVAILABLE, subject, "its agent sends no base64 in \"" + member + "\"", e);
    }
  }

  @Override
  public void close() {
    synchronized (this) {
      closed = true;
    }
    disconnect();
  }
}
