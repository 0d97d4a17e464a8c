package dev.stapes.internal.image.simplestreams;

import dev.stapes.internal.http.Expected;
import dev.stapes.internal.http.HttpSession;
import dev.stapes.internal.image.Architectures;
import dev.stapes.internal.image.ImageArchive;
import dev.stapes.internal.image.remote.DownloadCache;
import dev.stapes.internal.image.simplestreams.Product.Item;
import dev.stapes.model.ImageMetadata;
import dev.stapes.model.ImageOrigin;
import dev.stapes.model.InstanceType;
import dev.stapes.model.StapesException;
import dev.stapes.spi.ImageSource;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/** An image of such a server. */
final class StreamsSource implements ImageSource {
  private static final int DATE = 8;

  private final StreamsServer server;
  private final String reference;
  private final InstanceType type;

  StreamsSource(StreamsServer server, String reference, InstanceType type) {
    this.server = server;
    this.reference = reference;
    this.type = type;
  }

  @Override
  public String describe() {
    return "image \"" + reference + "\" of " + server.name();
  }

  @Override
  public Optional<ImageOrigin> origin() {
    return server.origin(reference, type);
  }

  @Override
  public Optional<String> newest(Context context) {
    try (HttpSession session = server.open()) {
      return Optional.of(offer(context, session, server.addresses()).fingerprint());
    }
  }

  private Offer offer(Context context, HttpSession session, Addresses addresses) {
    String architecture = server.architecture(context.host().facts().architecture());
    return server.catalog(session, context.cache(), addresses).find(reference, architecture, type);
  }

  @Override
  public Fetched fetch(Context context) {
    try (HttpSession session = server.open()) {
      Addresses addresses = server.addresses();
      Offer offer = offer(context, session, addresses);
      DownloadCache downloads = new DownloadCache(session, context);
      Path archive = bring(addresses, downloads, offer.archive(), "image");
      Optional<Path> rootfs =
          offer.rootfs().map(item -> bring(addresses, downloads, item, "rootfs"));
      ImageArchive.requireFingerprint(
          archive, rootfs, offer.fingerprint(), describe(), context.progress());
      Fetched fetched = ImageArchive.fetched(archive, rootfs, describe());
      return new Fetched(archive, rootfs, metadata(fetched.metadata(), offer));
    }
  }

  private Path bring(Addresses addresses, DownloadCache downloads, Item item, String name) {
    if (item.size() > DownloadCache.MOST) {
      throw StapesException.invalid(
          describe(), "a file has more than the allowed bytes: " + item.size());
    }
    Expected expected = Expected.of(item.size(), item.sha256());
    return addresses.ask(item.path(), query -> downloads.bring(query, expected, name));
  }

  /** As with Incus, what the server says prevails over what the image says of itself. */
  private ImageMetadata metadata(ImageMetadata own, Offer offer) {
    if (!Architectures.kernelName(own.architecture()).equals(offer.architecture())) {
      throw StapesException.invalid(
          describe(),
          "is for " + own.architecture() + " and not for " + offer.architecture() + " as is said");
    }
    if (own.type() != offer.type()) {
      throw StapesException.invalid(
          describe(), "is for a " + own.type() + " and not for a " + offer.type() + " as is said");
    }
    SortedMap<String, String> properties = new TreeMap<>(own.properties());
    properties.putAll(offer.properties());
    Instant created =
        own.createdAt().equals(Instant.EPOCH) ? date(offer.version().serial()) : own.createdAt();
    return new ImageMetadata(own.type(), own.architecture(), created, properties);
  }

  private static Instant date(String serial) {
    try {
      String digits = serial.substring(0, Math.min(DATE, serial.length()));
      return LocalDate.parse(digits, DateTimeFormatter.BASIC_ISO_DATE)
          .atStartOfDay(ZoneOffset.UTC)
          .toInstant();
    } catch (DateTimeException e) {
      return Instant.EPOCH;
    }
  }
}
