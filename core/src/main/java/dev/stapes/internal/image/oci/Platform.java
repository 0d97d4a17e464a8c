package dev.stapes.internal.image.oci;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What an image runs on, with the names of OCI, which are those of Go.
 *
 * @param architecture such as {@code amd64}
 * @param variant such as {@code v8}; empty for none
 */
record Platform(String architecture, String variant) {
  /** By the kernel's name. */
  private static final Map<String, Platform> OF_KERNEL =
      Map.of(
          "x86_64", new Platform("amd64", ""),
          "aarch64", new Platform("arm64", "v8"),
          "i686", new Platform("386", ""),
          "armv7l", new Platform("arm", "v7"),
          "armv6l", new Platform("arm", "v6"),
          "ppc64le", new Platform("ppc64le", ""),
          "s390x", new Platform("s390x", ""),
          "riscv64", new Platform("riscv64", ""),
          "loongarch64", new Platform("loong64", ""),
          "mips64", new Platform("mips64le", ""));

  private static final List<String> ARM = List.of("v5", "v6", "v7");

  /** That of a machine. */
  static Platform ofKernel(String architecture) {
    return OF_KERNEL.getOrDefault(architecture, new Platform(architecture, ""));
  }

  /** Reads {@code linux/arm/v7}. */
  static Platform parse(String text) {
    String[] parts = text.split("/", -1);
    return new Platform(parts[1], parts.length > 2 ? parts[2] : "");
  }

  /** The kernel's name of the architecture. */
  String kernel() {
    return OF_KERNEL.entrySet().stream()
        .filter(each -> each.getValue().architecture.equals(architecture))
        .filter(each -> !architecture.equals("arm") || each.getValue().variant.equals(variant))
        .map(Map.Entry::getKey)
        .findFirst()
        .orElse(architecture.equals("arm") ? "armv7l" : architecture);
  }

  /**
   * How well an image for another platform runs on this; empty where it does not, more is better.
   */
  Optional<Integer> fits(Platform image) {
    if (!architecture.equals(image.architecture)) {
      return Optional.empty();
    }
    if (variant.equals(image.variant)) {
      return Optional.of(ARM.size() + 1);
    }
    if (architecture.equals("arm") && !variant.isEmpty()) {
      int newest = ARM.indexOf(variant);
      int other = ARM.indexOf(image.variant);
      return other >= 0 && other <= newest ? Optional.of(other) : Optional.empty();
    }
    return variant.isEmpty() || image.variant.isEmpty() ? Optional.of(0) : Optional.empty();
  }

  /** Reads the member {@code platform} of an index; empty where it is not for Linux. */
  static Optional<Platform> of(JsonNode node) {
    String os = node.path("os").asText("");
    String architecture = node.path("architecture").asText("");
    return os.equals("linux") && !architecture.isEmpty()
        ? Optional.of(new Platform(architecture, node.path("variant").asText("")))
        : Optional.empty();
  }

  @Override
  public String toString() {
    return "linux/" + architecture + (variant.isEmpty() ? "" : "/" + variant);
  }
}
