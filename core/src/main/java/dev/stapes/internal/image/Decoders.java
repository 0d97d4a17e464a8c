package dev.stapes.internal.image;

import dev.stapes.model.Size;
import dev.stapes.spi.Availability;
import dev.stapes.spi.Decoder;
import dev.stapes.spi.DecoderProvider;
import dev.stapes.spi.DecoderProvider.Format;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Who decodes which format. May be used by several threads. */
public final class Decoders {
  /** Java decodes all. */
  public static final Decoders JAVA = new Decoders(List.of());

  private static final Logger LOG = LoggerFactory.getLogger(Decoders.class);

  private final List<DecoderProvider> candidates;
  private final Map<Format, Optional<DecoderProvider>> chosen = new EnumMap<>(Format.class);

  /** The first that is available decodes a format, and Java what none of them does. */
  public Decoders(List<DecoderProvider> candidates) {
    this.candidates = List.copyOf(candidates);
  }

  /** Opens a decoder; see {@link DecoderProvider#open}. */
  Decoder open(Format format, Size memory) {
    Optional<DecoderProvider> provider = provider(format);
    return provider.isPresent()
        ? provider.get().open(format, memory)
        : JavaDecoder.of(format, memory);
  }

  /** Whether the memory that a decoder may take is that of the heap. */
  boolean isOnHeap(Format format) {
    return provider(format).isEmpty();
  }

  private synchronized Optional<DecoderProvider> provider(Format format) {
    return chosen.computeIfAbsent(format, this::choose);
  }

  private Optional<DecoderProvider> choose(Format format) {
    for (DecoderProvider candidate : candidates) {
      if (!candidate.formats().contains(format)) {
        continue;
      }
      if (!(candidate.probe() instanceof Availability.Unavailable no)) {
        return Optional.of(candidate);
      }
      LOG.info(
          "{} is not decoded by {}: {}: {}", format, candidate.name(), no.reason(), no.remedy());
    }
    return Optional.empty();
  }
}
