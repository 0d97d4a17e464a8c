package dev.stapes;

import dev.stapes.internal.image.simplestreams.StreamsServer;
import dev.stapes.model.ImageServerSpec;
import dev.stapes.model.InstanceType;
import dev.stapes.model.RemoteImage;
import dev.stapes.spi.ImageSource;
import java.net.URI;
import java.util.List;

/**
 * A server that offers images. Every call asks it; there is nothing to close.
 *
 * <p>Errors: UNAVAILABLE where the server cannot be reached, is silent or has trouble, also after
 * some attempts; INVALID where what it sends is wrong, damaged or larger than allowed; INTERRUPTED.
 */
public final class ImageServer {
  private final StreamsServer server;

  private ImageServer(StreamsServer server) {
    this.server = server;
  }

  /**
   * One that speaks simplestreams, such as {@code https://images.example.org}: its index is {@code
   * streams/v1/index.json} below that address.
   *
   * @throws dev.stapes.model.StapesException INVALID where that is no address
   */
  public static ImageServer simplestreams(URI address) {
    return simplestreams(ImageServerSpec.of(address));
  }

  /** The same with mirrors, for another architecture, or with other forms of files. */
  public static ImageServer simplestreams(ImageServerSpec spec) {
    return new ImageServer(StreamsServer.of(spec));
  }

  /**
   * All images that it offers whole, for all architectures and types, those of virtual machines
   * included; of each product the newest first.
   */
  public List<RemoteImage> list() {
    return server.list();
  }

  /**
   * The newest container image that a reference means.
   *
   * @param reference an alias such as {@code debian/13}, one with an architecture behind it such as
   *     {@code debian/13/arm64}, or a fingerprint
   * @throws dev.stapes.model.StapesException NOT_FOUND where the server has none for the
   *     architecture, UNSUPPORTED where it has only one for virtual machines
   */
  public RemoteImage find(String reference) {
    return find(reference, InstanceType.CONTAINER);
  }

  /**
   * The newest image that a reference means for an instance of a type: an alias may have one for
   * each. A fingerprint is of one type anyway.
   *
   * @throws dev.stapes.model.StapesException NOT_FOUND where the server has none for the
   *     architecture, UNSUPPORTED where it has only one of the other type
   */
  public RemoteImage find(String reference, InstanceType type) {
    return server.find(reference, type);
  }

  /**
   * The same to be imported; it is looked for then. Its files, whose sizes and SHA-256 are checked,
   * come over networks that break: what has come of one is kept, also when this JVM is killed. What
   * the server says of the image is added to its properties, and prevails.
   */
  public ImageSource source(String reference) {
    return source(reference, InstanceType.CONTAINER);
  }

  /** The same for an instance of a type, see {@link #find(String, InstanceType)}. */
  public ImageSource source(String reference, InstanceType type) {
    return server.source(reference, type);
  }
}
