package dev.stapes.internal.image;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The names that distributions have for architectures, and the kernel's. */
public final class Architectures {
  private static final Map<String, List<String>> OTHER_NAMES =
      Map.ofEntries(
          Map.entry("i686", List.of("i386", "i586", "386", "x86", "generic_32")),
          Map.entry("x86_64", List.of("amd64", "generic_64")),
          Map.entry("armv6l", List.of("armel", "arm")),
          Map.entry("armv7l", List.of("armhf", "armhfp", "armv7", "armv7a_hardfp")),
          Map.entry("aarch64", List.of("arm64", "arm64_generic")),
          Map.entry("ppc", List.of("powerpc")),
          Map.entry("ppc64", List.of("powerpc64")),
          Map.entry("ppc64le", List.of("ppc64el")),
          Map.entry("mips", List.of("mipsel", "mipsle")),
          Map.entry("mips64", List.of("mips64el", "mips64le")),
          Map.entry("loongarch64", List.of("loong64")));

  private static final Map<String, String> KERNEL_NAMES = kernelNames();

  private Architectures() {}

  private static Map<String, String> kernelNames() {
    Map<String, String> names = new HashMap<>();
    OTHER_NAMES.forEach((kernel, others) -> others.forEach(other -> names.put(other, kernel)));
    return Map.copyOf(names);
  }

  /** The kernel's name, such as {@code x86_64} for {@code amd64}; one that is not known stays. */
  public static String kernelName(String name) {
    return KERNEL_NAMES.getOrDefault(name, name);
  }

  /** That of this JVM. */
  public static String here() {
    return kernelName(System.getProperty("os.arch", ""));
  }
}
