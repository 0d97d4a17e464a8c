package dev.stapes.internal.image.oci;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.stapes.model.StapesException;
import java.util.regex.Pattern;

/**
 * Names a part of an image (OCI image specification, descriptor.md).
 *
 * @param mediaType what it is
 * @param digest {@code sha256:} and 64 lower-case hex digits
 * @param size bytes
 */
record Descriptor(String mediaType, String digest, long size) {
  private static final String SHA256 = "sha256:";
  private static final Pattern DIGEST = Pattern.compile(SHA256 + "[0-9a-f]{64}");

  /** Reads one; INVALID where it is damaged, UNSUPPORTED where it has another digest. */
  static Descriptor of(JsonNode node, String subject) {
    String digest = Json.text(node, "digest", subject);
    if (!DIGEST.matcher(digest).matches()) {
      if (digest.matches("[a-z0-9]+([+._-][a-z0-9]+)*:[A-Za-z0-9=_-]+")
          && !digest.startsWith(SHA256)) {
        throw new StapesException(
            StapesException.Kind.UNSUPPORTED,
            subject,
            "has a digest other than SHA-256: " + digest);
      }
      throw StapesException.invalid(subject, "has no digest but \"" + digest + "\"");
    }
    JsonNode size = node.path("size");
    if (!size.isIntegralNumber() || !size.canConvertToLong() || size.longValue() < 0) {
      throw StapesException.invalid(subject, "has a part without a size");
    }
    return new Descriptor(Json.text(node, "mediaType", subject), digest, size.longValue());
  }

  /** Writes one that {@link #of} reads. */
  void write(ObjectNode into) {
    into.put("mediaType", mediaType).put("digest", digest).put("size", size);
  }

  /** The digits alone. */
  String sha256() {
    return digest.substring(SHA256.length());
  }
}
