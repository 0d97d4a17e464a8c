package dev.stapes.internal.image.oci;

import com.fasterxml.jackson.databind.JsonNode;
import dev.stapes.internal.digest.Sha256;
import dev.stapes.internal.http.Answer;
import dev.stapes.internal.http.Expected;
import dev.stapes.internal.http.HttpQuery;
import dev.stapes.internal.http.HttpSession;
import dev.stapes.internal.http.HttpSettings;
import dev.stapes.internal.image.DiskError;
import dev.stapes.internal.image.remote.DownloadCache;
import dev.stapes.model.ImageMetadata;
import dev.stapes.model.ImageOrigin;
import dev.stapes.model.OciImageSpec;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.ImageSource;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * An image of an OCI registry (OCI distribution specification 1.1, the part for pulling). Layers
 * that the store has are not asked for.
 */
public final class OciSource implements ImageSource {
  private static final String PLATFORM = "platform";
  private static final String PLAIN = "plain";
  private static final int MANIFEST_BYTES = 4 << 20; // as the specification advises
  private static final int INDEX_DEPTH = 3;
  private static final long LARGEST_CONFIG = 4 << 20;
  private static final long LARGEST_LAYER = 64L << 30;

  private final OciImageSpec spec;
  private final HttpSettings settings;
  private final Function<String, @Nullable String> environment;
  private final URI registry;
  private final String subject;

  /**
   * Nothing is asked for yet.
   *
   * @param environment says where logins are
   */
  public OciSource(
      OciImageSpec spec, HttpSettings settings, Function<String, @Nullable String> environment) {
    this.spec = spec;
    this.settings = settings;
    this.environment = environment;
    this.registry = URI.create((isPlain(spec) ? "http://" : "https://") + spec.registry());
    this.subject = "OCI image " + spec;
  }

  private static boolean isPlain(OciImageSpec spec) {
    return spec.plain() || spec.registry().matches("(localhost|127\\.[0-9.]+|\\[::1])(:[0-9]+)?");
  }

  @Override
  public String describe() {
    return subject;
  }

  /** Nowhere where it was given a login, which is a secret. */
  @Override
  public Optional<ImageOrigin> origin() {
    if (spec.login().isPresent()) {
      return Optional.empty();
    }
    Map<String, String> options = new TreeMap<>();
    spec.platform().ifPresent(name -> options.put(PLATFORM, name));
    if (spec.plain()) {
      options.put(PLAIN, "true");
    }
    String alias = spec.toString().substring(spec.registry().length() + 1);
    return Optional.of(ImageOrigin.of(ImageOrigin.Protocol.OCI, spec.registry(), alias, options));
  }

  /** What {@link #origin} has said, asked for as anybody whom the environment has a login for. */
  public static OciImageSpec spec(ImageOrigin origin) {
    OciImageSpec plain = OciImageSpec.of(origin.server() + "/" + origin.alias());
    String platform = origin.options().get(PLATFORM);
    OciImageSpec spec = platform == null ? plain : plain.platform(platform);
    return "true".equals(origin.options().get(PLAIN)) ? spec.withoutTls() : spec;
  }

  @Override
  public Optional<String> newest(Context context) {
    return pull(context, pull -> Optional.of(Sha256.hex(pull.manifest())));
  }

  @Override
  public Fetched fetch(Context context) {
    return pull(context, Pull::image);
  }

  private <T> T pull(Context context, Function<Pull, T> what) {
    try (HttpSession session = new HttpSession(settings)) {
      Optional<OciImageSpec.Login> login =
          spec.login()
              .or(() -> new DockerConfig(context.host(), environment).login(spec.registry()));
      RegistryCredentials credentials =
          new RegistryCredentials(session, registry, spec.repository(), login);
      return what.apply(new Pull(context, session, credentials));
    }
  }

  /** One fetch. */
  private final class Pull {
    private final Context context;
    private final HttpSession session;
    private final RegistryCredentials credentials;

    Pull(Context context, HttpSession session, RegistryCredentials credentials) {
      this.context = context;
      this.session = session;
      this.credentials = credentials;
    }

    Fetched image() {
      byte[] document = manifest();
      Manifest manifest = Manifest.of(Json.object(document, subject), subject);
      List<Blob> blobs = new ArrayList<>();
      Path config = blob(manifest.config(), LARGEST_CONFIG);
      blobs.add(new Blob(manifest.config().sha256(), config, false));
      ImageMetadata metadata = metadata(config);
      for (Descriptor layer : manifest.layers()) {
        blobs.add(new Blob(layer.sha256(), blob(layer, LARGEST_LAYER), true));
      }
      try {
        Path archive = Files.write(context.work().resolve("manifest"), document);
        return new Fetched(archive, Optional.empty(), blobs, metadata);
      } catch (IOException e) {
        throw failed(e);
      }
    }

    private ImageMetadata metadata(Path config) {
      try {
        return ImageConfig.read(
            Json.object(Files.readAllBytes(config), subject), spec.toString(), subject);
      } catch (IOException e) {
        throw failed(e);
      }
    }

    /** That of the image itself, through the indexes that lead to it. */
    private byte[] manifest() {
      Platform platform =
          spec.platform()
              .map(Platform::parse)
              .orElseGet(() -> Platform.ofKernel(context.host().facts().architecture()));
      Optional<String> digest = spec.digest();
      for (int depth = 0; depth <= INDEX_DEPTH; depth++) {
        String name = digest.or(spec::tag).orElseThrow();
        byte[] document = ask(name, digest);
        JsonNode read = Json.object(document, subject);
        if (!Manifest.isIndex(read)) {
          return document;
        }
        digest = Optional.of(Manifest.choose(read, platform, subject).digest());
      }
      throw StapesException.invalid(subject, "has indexes of indexes without end");
    }

    private byte[] ask(String name, Optional<String> digest) {
      Answer answer =
          session.get(
              new HttpQuery(
                  address("manifests/" + name), Map.of("Accept", Manifest.ACCEPT), credentials),
              MANIFEST_BYTES);
      String its = "sha256:" + Sha256.hex(answer.body());
      if (digest.isPresent() && !digest.get().equals(its)) {
        throw StapesException.invalid(
            subject, "its manifest has the digest " + its + " instead of " + digest.get());
      }
      return answer.body();
    }

    /** A part of it, checked; below the work directory. */
    private Path blob(Descriptor descriptor, long most) {
      if (descriptor.size() > most) {
        throw StapesException.invalid(
            subject,
            "has a part of " + descriptor.size() + " bytes, more than the allowed " + most);
      }
      Path target = context.work().resolve(descriptor.sha256());
      if (Files.exists(target) || context.blobs().link(descriptor.sha256(), target)) {
        return target;
      }
      HttpQuery query =
          new HttpQuery(address("blobs/" + descriptor.digest()), Map.of(), credentials);
      return new DownloadCache(session, context)
          .bring(query, Expected.of(descriptor.size(), descriptor.sha256()), descriptor.sha256());
    }

    private URI address(String rest) {
      return registry.resolve("/v2/" + spec.repository() + "/" + rest);
    }
  }

  private StapesException failed(IOException e) {
    return DiskError.of(subject, "cannot be stored", e, Kind.INTERNAL);
  }
}
