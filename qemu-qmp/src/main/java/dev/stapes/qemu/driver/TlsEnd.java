package dev.stapes.qemu.driver;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.stapes.linux.Fd;
import dev.stapes.linux.OpenFlag;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.qmp.QmpCommandException;
import dev.stapes.qmp.RawCommand;
import dev.stapes.qmp.qemu.ObjectDel;
import dev.stapes.qmp.qemu.QomList;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * What QEMU encrypts with, at one end of a move: TLS with a key that both ends know. QEMU reads the
 * key from a file in its own directory, which is there as long as it is needed.
 */
final class TlsEnd {
  /** What options call it. */
  static final String ID = "moving-tls";

  /** Asked for by QEMU, and meaningless where keys are all that counts. */
  private static final String HOST = "stapes";

  private static final String USER = "qemu";
  private static final String KEYS = "keys.psk"; // the name that QEMU looks for
  private static final String OBJECTS = "/objects";

  /** What a QEMU says that was built without GnuTLS, or does not know such objects. */
  private static final Pattern CANNOT =
      Pattern.compile("requires GNUTLS|invalid object type|does not accept value");

  private final String subject;
  private final Monitor monitor;
  private final VmFiles files;
  private final Syscalls sys;

  TlsEnd(String subject, Monitor monitor, VmFiles files, Syscalls sys) {
    this.subject = subject;
    this.monitor = monitor;
    this.files = files;
    this.sys = sys;
  }

  /** Who sends reads the key once; who is sent to reads it each time that somebody connects. */
  enum Side {
    /** It connects. */
    CLIENT,
    /** It is connected to. */
    SERVER
  }

  /**
   * Has all that is sent or received from now on encrypted, until {@link #forget}. Where that fails
   * nothing of it is left.
   *
   * @throws StapesException UNSUPPORTED where QEMU cannot
   */
  void begin(Side side, PreSharedKey key) {
    forget(); // that of a move that a JVM did not live to end
    try {
      write(key);
      add(side);
      parameters(ID, HOST);
      if (side == Side.CLIENT) {
        forgetKey();
      }
    } catch (StapesException e) {
      forgetAfter(e);
      throw e;
    }
  }

  private void add(Side side) {
    ObjectNode object = JsonNodeFactory.instance.objectNode();
    object.put("qom-type", "tls-creds-psk").put("id", ID).put("dir", ".");
    object.put("endpoint", side == Side.SERVER ? "server" : "client");
    if (side == Side.CLIENT) {
      object.put("username", USER);
    }
    try {
      monitor.execute(new RawCommand("object-add", object));
    } catch (StapesException e) {
      if (e.getCause() instanceof QmpCommandException refusal
          && CANNOT.matcher(String.valueOf(refusal.getMessage())).find()) {
        throw new StapesException(
            Kind.UNSUPPORTED, subject, "its QEMU cannot encrypt: " + refusal.getMessage(), e);
      }
      throw e;
    }
  }

  private void forgetAfter(StapesException e) {
    try {
      Uninterrupted.run(this::forget);
    } catch (StapesException next) {
      e.addSuppressed(next);
    }
  }

  /** Its directory is QEMU's: what may be there by that name is not followed. */
  private void write(PreSharedKey key) {
    Path file = files.directory().resolve(KEYS);
    try {
      int owner =
          (int) Files.getAttribute(files.directory(), "unix:uid", LinkOption.NOFOLLOW_LINKS);
      Set<OpenFlag> flags =
          Set.of(OpenFlag.WRITE, OpenFlag.CREATE, OpenFlag.EXCLUSIVE, OpenFlag.NO_FOLLOW);
      try (Fd fd = Fd.open(sys, file, flags)) {
        fd.chown(owner, owner);
        byte[] text = key.fileOf(USER).getBytes(StandardCharsets.US_ASCII);
        fd.write(Syscalls.buffer(text.length).put(text).flip());
      }
    } catch (IOException e) {
      throw IoFailure.of(subject, "the key of its move cannot be written", e);
    } catch (LinuxException e) {
      throw new StapesException(
          Kind.INTERNAL, subject, "the key of its move cannot be written: " + e.getMessage(), e);
    }
  }

  private void forgetKey() {
    try {
      Files.deleteIfExists(files.directory().resolve(KEYS));
    } catch (IOException e) {
      throw IoFailure.of(subject, "the key of its move cannot be removed", e);
    }
  }

  /** Nothing is encrypted from now on, and there is no key any more. Idempotent. */
  void forget() {
    Settlement.all(List.of(() -> parameters("", ""), this::remove, this::forgetKey));
  }

  private void remove() {
    if (monitor.execute(QomList.of(OBJECTS)).stream().anyMatch(each -> each.name().equals(ID))) {
      monitor.execute(ObjectDel.of(ID));
    }
  }

  private void parameters(String credentials, String host) {
    ObjectNode parameters = JsonNodeFactory.instance.objectNode();
    parameters.put("tls-creds", credentials).put("tls-hostname", host);
    monitor.execute(new RawCommand("migrate-set-parameters", parameters));
  }
}
