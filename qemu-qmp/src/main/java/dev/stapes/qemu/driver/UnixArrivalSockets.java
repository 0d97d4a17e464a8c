package dev.stapes.qemu.driver;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.stapes.linux.Fd;
import dev.stapes.linux.OpenFlag;
import dev.stapes.linux.UnixSocket;
import dev.stapes.linux.ffi.Syscalls;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;

/** Sockets in the directory of the emulator, which listens there itself. */
final class UnixArrivalSockets implements ArrivalSockets {
  private static final String DISK = "arriving-disk";
  private static final String MEMORY = "arriving-memory";

  private final VmFiles files;
  private final Syscalls sys;

  UnixArrivalSockets(VmFiles files, Syscalls sys) {
    this.files = files;
    this.sys = sys;
  }

  @Override
  public ObjectNode listenForDisk() {
    ObjectNode server = JsonNodeFactory.instance.objectNode();
    server.putObject("addr").put("type", "unix").putObject("data").put("path", DISK);
    return server;
  }

  @Override
  public String listenForMemory() {
    return "unix:" + MEMORY;
  }

  @Override
  public Fd connectDisk() {
    return connect(DISK);
  }

  @Override
  public Fd connectMemory() {
    return connect(MEMORY);
  }

  /** The emulator could have put a link there, to what only root may connect to. */
  private Fd connect(String name) {
    Path socket = files.directory().resolve(name);
    try (Fd itself = Fd.open(sys, socket, Set.of(OpenFlag.PATH_ONLY, OpenFlag.NO_FOLLOW))) {
      return UnixSocket.connect(sys, itself.path()).fd();
    }
  }

  @Override
  public Optional<PreSharedKey> key() {
    return Optional.empty();
  }

  @Override
  public void close() {
    // The emulator closes them.
  }
}
