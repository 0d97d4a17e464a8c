package dev.stapes.linux.host;

import dev.stapes.linux.ffi.LibLzma;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.Size;
import dev.stapes.spi.Availability;
import dev.stapes.spi.Decoder;
import dev.stapes.spi.DecoderProvider;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import jnr.ffi.LibraryLoader;
import org.jspecify.annotations.Nullable;

/**
 * Decodes xz and the format before it with liblzma, which is faster than Java. A decoder takes what
 * the dictionary asks for and some 200 KiB, outside of the heap, until it is closed.
 */
public final class LzmaDecoderProvider implements DecoderProvider {
  private static final Map<String, Library> LIBRARIES = new ConcurrentHashMap<>();

  private final String file;

  /** For the service loader, and to be given to a builder. */
  public LzmaDecoderProvider() {
    this("liblzma.so.5");
  }

  LzmaDecoderProvider(String file) {
    this.file = file;
  }

  @Override
  public String name() {
    return "liblzma";
  }

  @Override
  public Set<Format> formats() {
    return Set.of(Format.values());
  }

  @Override
  public Availability probe() {
    return library().functions() == null
        ? Availability.unavailable(library().reason(), "install the package liblzma5")
        : Availability.available();
  }

  @Override
  public Decoder open(Format format, Size memory) {
    probe().orThrow("liblzma");
    LibLzma functions = library().functions();
    if (functions == null) {
      throw new IllegalStateException("available without functions: " + file);
    }
    return new LzmaDecoder(Syscalls.system().libc(), functions, format, memory);
  }

  private Library library() {
    return LIBRARIES.computeIfAbsent(file, Library::load);
  }

  /** What became of loading it. */
  private record Library(@Nullable LibLzma functions, String reason) {
    static Library load(String file) {
      if (Syscalls.unavailable().isPresent()) {
        return new Library(null, "the C library cannot be called");
      }
      try {
        LibLzma functions = LibraryLoader.create(LibLzma.class).load(file);
        functions.lzma_version_string();
        return new Library(functions, "");
      } catch (RuntimeException | LinkageError e) {
        return new Library(null, file + " not found");
      }
    }
  }
}
