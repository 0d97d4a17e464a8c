package dev.stapes.internal.image.oci;

import dev.stapes.internal.digest.Sha256;
import dev.stapes.internal.http.Expected;
import dev.stapes.internal.http.HttpQuery;
import dev.stapes.internal.http.HttpSession;
import dev.stapes.internal.http.HttpSettings;
import dev.stapes.internal.image.remote.DownloadCache;
import dev.stapes.model.ImageOrigin;
import dev.stapes.model.OciImageSpec;
import dev.stapes.spi.ImageSource;
import java.net.URI;
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
    return pull(context, pull -> pull.assembly.image(pull.manifest(), spec.toString()));
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
  private final class Pull implements ImageAssembly.Parts {
    private final Context context;
    private final HttpSession session;
    private final RegistryCredentials credentials;
    private final ImageAssembly assembly;

    Pull(Context context, HttpSession session, RegistryCredentials credentials) {
      this.context = context;
      this.session = session;
      this.credentials = credentials;
      this.assembly = new ImageAssembly(context, this, subject);
    }

    byte[] manifest() {
      byte[] first =
          spec.digest().map(assembly::document).orElseGet(() -> document(spec.tag().orElseThrow()));
      return assembly.manifest(first, ImageAssembly.platform(spec.platform(), context));
    }

    /** By its digest or by a tag. */
    @Override
    public byte[] document(String name) {
      HttpQuery query =
          new HttpQuery(
              address("manifests/" + name), Map.of("Accept", Manifest.ACCEPT), credentials);
      return session.get(query, ImageAssembly.MANIFEST_BYTES).body();
    }

    @Override
    public void bring(List<Descriptor> missing) {
      DownloadCache downloads = new DownloadCache(session, context);
      for (Descriptor each : missing) {
        HttpQuery query = new HttpQuery(address("blobs/" + each.digest()), Map.of(), credentials);
        downloads.bring(query, Expected.of(each.size(), each.sha256()), each.sha256());
      }
    }

    private URI address(String rest) {
      return registry.resolve("/v2/" + spec.repository() + "/" + rest);
    }
  }
}
