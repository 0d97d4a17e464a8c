package dev.stapes.lxc.ffi;

import com.sun.jna.Library;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * liblxc, loaded. There is one per JVM; {@link #probe} loads it at the first call and answers in
 * words where that is impossible.
 *
 * <p>The library may be used from any thread; a {@link ContainerCalls container} guards itself.
 */
public final class Liblxc {
  private static final String SONAME = "liblxc.so.1";
  private static final Object LOADING = new Object();
  private static @Nullable Liblxc loaded;

  private final LibLxc lxc;
  private final LibC libc;
  private final LxcVersion version;

  private Liblxc(LibLxc lxc, LibC libc, LxcVersion version) {
    this.lxc = lxc;
    this.libc = libc;
    this.version = version;
  }

  /** Whether liblxc can be used. */
  public sealed interface Probe {
    /**
     * It can.
     *
     * @param library ready for calls
     */
    record Found(Liblxc library) implements Probe {}

    /**
     * It cannot.
     *
     * @param reason such as {@code liblxc.so.1 not found}
     * @param remedy such as {@code install the package liblxc1}
     */
    record Missing(String reason, String remedy) implements Probe {}

    /** The library, or empty. */
    default Optional<Liblxc> ifFound() {
      return this instanceof Found found ? Optional.of(found.library()) : Optional.empty();
    }
  }

  /** Loads the library of this machine; cheap after the first success. */
  public static Probe probe() {
    synchronized (LOADING) {
      if (loaded != null) {
        return new Probe.Found(loaded);
      }
      Probe probe = load(SONAME);
      loaded = probe.ifFound().orElse(null);
      return probe;
    }
  }

  /** Loads a library by name or path; never throws for what may be wrong with it. */
  static Probe load(String library) {
    if (Native.POINTER_SIZE != 8) {
      return new Probe.Missing("not a 64-bit machine", "use a 64-bit JVM");
    }
    LibLxc lxc;
    LibC libc;
    try {
      lxc = Native.load(library, LibLxc.class, Map.of(Library.OPTION_STRING_ENCODING, "UTF-8"));
      libc = Native.load(null, LibC.class);
    } catch (UnsatisfiedLinkError e) {
      return new Probe.Missing(library + " not found", "install the package liblxc1");
    }
    LxcVersion version;
    try {
      version = LxcVersion.parse(lxc.lxc_get_version());
    } catch (IllegalArgumentException | UnsatisfiedLinkError e) {
      return new Probe.Missing(library + " does not tell its version: " + e.getMessage(), remedy());
    }
    if (!version.isAtLeast(LxcVersion.OLDEST)) {
      return new Probe.Missing(library + " is version " + version, remedy());
    }
    silence(lxc);
    return new Probe.Found(new Liblxc(lxc, libc, version));
  }

  /** Its version. */
  public LxcVersion version() {
    return version;
  }

  /** Whether a key such as {@code lxc.cgroup2} may be used in a configuration. */
  public boolean supportsConfigItem(String key) {
    return lxc.lxc_config_item_is_supported(key) != 0;
  }

  /** Whether it has an API extension, such as {@code cgroup2_devices}. */
  public boolean hasApiExtension(String extension) {
    return lxc.lxc_has_api_extension(extension) != 0;
  }

  /**
   * A handle on a container, whether it is defined, running or neither. Reads {@code
   * <lxcPath>/<name>/config} if there is one.
   *
   * @param lxcPath absolute and canonical: liblxc names its command socket by the literal text
   * @throws LxcException where liblxc refuses the name or cannot read the configuration
   */
  public ContainerCalls container(String name, String lxcPath) {
    Pointer container = lxc.lxc_container_new(name, lxcPath);
    if (container == null) {
      throw new LxcException("lxc_container_new", name, "failed, see " + lxcPath);
    }
    return new ContainerCalls(this, name, container);
  }

  void put(Pointer container) {
    lxc.lxc_container_put(container);
  }

  /** Copies a string that liblxc allocated, and frees it. */
  @Nullable String take(@Nullable Pointer allocated) {
    if (allocated == null) {
      return null;
    }
    String text = allocated.getString(0, "UTF-8");
    libc.free(allocated);
    return text;
  }

  private static String remedy() {
    return "install liblxc " + LxcVersion.OLDEST + " or newer";
  }

  /** What liblxc has to say would go to the stderr of the JVM. */
  private static void silence(LibLxc lxc) {
    LogSettings settings = new LogSettings();
    settings.name = "stapes";
    settings.level = "FATAL";
    settings.prefix = "stapes";
    settings.quiet = 1;
    lxc.lxc_log_init(settings);
  }
}
