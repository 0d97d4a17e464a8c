package dev.stapes.internal.image.simplestreams;

import dev.stapes.internal.http.HttpQuery;
import dev.stapes.internal.http.HttpSession;
import dev.stapes.internal.http.HttpSettings;
import dev.stapes.internal.image.Architectures;
import dev.stapes.internal.image.remote.IndexCache;
import dev.stapes.model.ImageOrigin;
import dev.stapes.model.ImageServerSpec;
import dev.stapes.model.InstanceType;
import dev.stapes.model.RemoteImage;
import dev.stapes.spi.ImageSource;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A server of images. Holds nothing: each call asks it. */
public final class StreamsServer {
  private static final String ARCHITECTURE = "architecture";
  private static final String MIRRORS = "mirrors";
  private static final String FORMS = "forms";
  private static final String TYPE = "type";

  private final ImageServerSpec spec;
  private final List<URI> bases;
  private final Supplier<HttpSettings> settings;

  StreamsServer(ImageServerSpec spec, Supplier<HttpSettings> settings) {
    this.spec = spec;
    this.bases =
        Stream.concat(Stream.of(spec.address()), spec.mirrors().stream())
            .map(Addresses::base)
            .toList();
    this.settings = settings;
  }

  /** Nothing is asked yet. */
  public static StreamsServer of(ImageServerSpec spec) {
    return new StreamsServer(spec, HttpSettings::usual);
  }

  /** All that it offers. */
  public List<RemoteImage> list() {
    return catalog().offers().stream().map(Offer::image).toList();
  }

  /** What a reference means for this machine. */
  public RemoteImage find(String reference, InstanceType type) {
    return catalog().find(reference, architecture(Architectures.here()), type).image();
  }

  /** An image to import. */
  public ImageSource source(String reference, InstanceType type) {
    return new StreamsSource(this, reference, type);
  }

  /** Where an image of it can be asked for again; nowhere where an address may hold a secret. */
  Optional<ImageOrigin> origin(String reference, InstanceType type) {
    if (bases.stream().anyMatch(base -> base.getRawQuery() != null)) {
      return Optional.empty();
    }
    Map<String, String> options = new TreeMap<>();
    spec.architecture().ifPresent(name -> options.put(ARCHITECTURE, name));
    options.put(MIRRORS, joined(spec.mirrors()));
    options.put(FORMS, joined(spec.forms()));
    options.put(TYPE, type == InstanceType.CONTAINER ? "" : type.toString());
    options.values().removeIf(String::isEmpty);
    return Optional.of(
        ImageOrigin.of(
            ImageOrigin.Protocol.SIMPLESTREAMS, spec.address().toString(), reference, options));
  }

  private static String joined(List<?> all) {
    return all.stream().map(Object::toString).collect(Collectors.joining(" "));
  }

  /** The image of what {@link #origin} has said. */
  public static ImageSource source(ImageOrigin origin) {
    return of(new ImageServerSpec(
            HttpQuery.address(origin.server()),
            words(origin, MIRRORS).map(HttpQuery::address).toList(),
            Optional.ofNullable(origin.options().get(ARCHITECTURE)),
            words(origin, FORMS).map(ImageServerSpec.Form::valueOf).toList()))
        .source(
            origin.alias(),
            InstanceType.VIRTUAL_MACHINE.toString().equals(origin.options().get(TYPE))
                ? InstanceType.VIRTUAL_MACHINE
                : InstanceType.CONTAINER);
  }

  private static Stream<String> words(ImageOrigin origin, String option) {
    return Stream.of(origin.options().getOrDefault(option, "").split(" ", -1))
        .filter(word -> !word.isEmpty());
  }

  private Catalog catalog() {
    try (HttpSession session = open()) {
      return catalog(new IndexCache(session, Optional.empty()), addresses());
    }
  }

  HttpSession open() {
    return new HttpSession(settings.get());
  }

  Addresses addresses() {
    return new Addresses(bases);
  }

  Catalog catalog(HttpSession session, Path cache, Addresses addresses) {
    return catalog(new IndexCache(session, Optional.of(cache)), addresses);
  }

  private Catalog catalog(IndexCache cache, Addresses addresses) {
    List<String> paths =
        addresses.ask(
            IndexFile.PATH,
            query ->
                cache.get(query, IndexFile.MOST, bytes -> IndexFile.read(query.subject(), bytes)));
    List<Product> products = new ArrayList<>();
    for (String path : paths) {
      products.addAll(
          addresses.ask(
              path,
              query ->
                  cache.get(
                      query,
                      ProductsFile.MOST,
                      bytes -> ProductsFile.read(query.subject(), bytes))));
    }
    return new Catalog(name(), products, spec.forms());
  }

  /** For people. */
  String name() {
    return HttpQuery.of(spec.address()).subject();
  }

  String architecture(String otherwise) {
    return spec.architecture().orElse(otherwise);
  }
}
