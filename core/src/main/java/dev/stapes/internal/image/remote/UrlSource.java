package dev.stapes.internal.image.remote;

import dev.stapes.internal.http.Answer;
import dev.stapes.internal.http.Expected;
import dev.stapes.internal.http.HttpQuery;
import dev.stapes.internal.http.HttpSession;
import dev.stapes.internal.http.HttpSettings;
import dev.stapes.internal.image.ImageArchive;
import dev.stapes.model.ImageOrigin;
import dev.stapes.model.ImageUrl;
import dev.stapes.model.StapesException;
import dev.stapes.spi.ImageSource;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Supplier;

/**
 * An image at an address. A server may answer with the address and the fingerprint of the image in
 * headers instead, as Incus' own does.
 */
public final class UrlSource implements ImageSource {
  private static final String ROOTFS = "rootfs";
  private static final List<String> NAMES = List.of("Incus", "LXD");

  private final ImageUrl url;
  private final Supplier<HttpSettings> settings;

  UrlSource(ImageUrl url, Supplier<HttpSettings> settings) {
    this.url = url;
    this.settings = settings;
    HttpQuery.address(url.archive());
    url.rootfs().ifPresent(HttpQuery::address);
  }

  /** Nothing is asked yet. */
  public static ImageSource of(ImageUrl url) {
    return new UrlSource(url, HttpSettings::usual);
  }

  @Override
  public String describe() {
    String archive = HttpQuery.of(url.archive()).subject();
    return url.rootfs()
        .map(rootfs -> archive + " and " + HttpQuery.of(rootfs).subject())
        .orElse(archive);
  }

  /**
   * Nowhere where it is one image and no other, or where it needs a secret: a header, or a query,
   * which may hold one.
   */
  @Override
  public Optional<ImageOrigin> origin() {
    Optional<URI> rootfs = url.rootfs();
    if (url.fingerprint().isPresent()
        || !url.headers().isEmpty()
        || url.archive().getRawQuery() != null
        || rootfs.map(second -> second.getRawQuery() != null).orElse(false)) {
      return Optional.empty();
    }
    Map<String, String> options =
        rootfs.map(second -> Map.of(ROOTFS, second.toString())).orElse(Map.of());
    return Optional.of(
        ImageOrigin.of(ImageOrigin.Protocol.URL, url.archive().toString(), "", options));
  }

  /** Of what {@link #origin} has said. */
  public static ImageSource of(ImageOrigin origin) {
    ImageUrl archive = ImageUrl.of(HttpQuery.address(origin.server()));
    String rootfs = origin.options().get(ROOTFS);
    return of(rootfs == null ? archive : archive.withRootfs(HttpQuery.address(rootfs)));
  }

  @Override
  public Optional<String> newest(Context context) {
    if (url.rootfs().isPresent() || url.fingerprint().isPresent()) {
      return url.fingerprint();
    }
    try (HttpSession session = new HttpSession(settings.get())) {
      return target(session, context.host().facts().architecture()).fingerprint();
    }
  }

  @Override
  public Fetched fetch(Context context) {
    try (HttpSession session = new HttpSession(settings.get())) {
      DownloadCache downloads = new DownloadCache(session, context);
      if (url.rootfs().isPresent()) {
        return split(downloads, context, url.rootfs().get());
      }
      Target target = target(session, context.host().facts().architecture());
      Path archive = downloads.bring(query(target.uri()), target.expected(), "image");
      return ImageArchive.fetched(archive, Optional.empty(), describe());
    }
  }

  private Fetched split(DownloadCache downloads, Context context, URI second) {
    Expected limit = Expected.atMost(DownloadCache.MOST);
    Path archive = downloads.bring(query(url.archive()), limit, "image");
    Optional<Path> rootfs = Optional.of(downloads.bring(query(second), limit, "rootfs"));
    url.fingerprint()
        .ifPresent(
            fingerprint ->
                ImageArchive.requireFingerprint(
                    archive, rootfs, fingerprint, describe(), context.progress()));
    return ImageArchive.fetched(archive, rootfs, describe());
  }

  private HttpQuery query(URI uri) {
    return new HttpQuery(uri, Map.of(), OriginHeaders.of(url));
  }

  /** What is really to be brought. */
  private record Target(URI uri, Optional<String> fingerprint) {
    Expected expected() {
      return new Expected(OptionalLong.empty(), fingerprint, DownloadCache.MOST);
    }
  }

  private Target target(HttpSession session, String architecture) {
    HttpQuery query =
        query(url.archive())
            .with("Incus-Server-Architectures", architecture)
            .with("LXD-Server-Architectures", architecture);
    Optional<Answer> answer = session.head(query);
    for (String name : answer.isPresent() ? NAMES : List.<String>of()) {
      Optional<String> address = header(answer.get(), name + "-Image-URL");
      if (address.isPresent()) {
        return named(answer.get(), address.get(), name);
      }
    }
    return new Target(url.archive(), url.fingerprint());
  }

  private Target named(Answer answer, String address, String name) {
    String hash = header(answer, name + "-Image-Hash").orElse("");
    if (!ImageUrl.isFingerprint(hash)) {
      throw StapesException.invalid(
          describe(),
          "names another address, but no SHA-256 in the header " + name + "-Image-Hash");
    }
    if (!url.fingerprint().orElse(hash).equals(hash)) {
      throw StapesException.invalid(
          describe(), "is the image " + hash + " now, and not " + url.fingerprint().orElseThrow());
    }
    try {
      return new Target(HttpQuery.address(answer.uri().resolve(address)), Optional.of(hash));
    } catch (IllegalArgumentException | StapesException e) {
      throw new StapesException(
          StapesException.Kind.INVALID,
          describe(),
          "names what is no address in the header " + name + "-Image-URL",
          e);
    }
  }

  private static Optional<String> header(Answer answer, String name) {
    return answer.headers().firstValue(name).map(String::trim).filter(text -> !text.isEmpty());
  }
}
