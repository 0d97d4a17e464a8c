package dev.stapes.internal.image.simplestreams;

import dev.stapes.internal.image.Architectures;
import dev.stapes.model.ImageServerSpec.Form;
import dev.stapes.model.ImageUrl;
import dev.stapes.model.InstanceType;
import dev.stapes.model.StapesException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;

/** All that a server offers, products sorted as Incus sorts them, of each the newest first. */
final class Catalog {
  private static final Comparator<Offer> ORDER =
      Comparator.comparing((Offer offer) -> offer.product().fact("os"))
          .thenComparing(offer -> offer.product().fact("release"))
          .thenComparing(offer -> offer.product().fact("variant"))
          .thenComparing((one, other) -> serials(other, one))
          .thenComparing(offer -> offer.product().name());

  private static final Pattern BORDERS = Pattern.compile("(?<=\\d)(?=\\D)|(?<=\\D)(?=\\d)");

  private final String server;
  private final List<Offer> offers;
  private final List<Form> forms;
  private final Set<String> aliases = new TreeSet<>();

  /**
   * Sorts.
   *
   * @param server for errors
   */
  Catalog(String server, List<Product> products, List<Form> forms) {
    this.server = server;
    List<Offer> all = new ArrayList<>();
    for (Product product : products) {
      aliases.addAll(product.aliases());
      product.versions().forEach(version -> all.addAll(Offer.of(product, version, forms)));
    }
    all.sort(ORDER);
    this.offers = List.copyOf(all);
    this.forms = forms;
  }

  List<Offer> offers() {
    return offers;
  }

  /**
   * What somebody means.
   *
   * @param reference an alias, one with an architecture behind it such as {@code debian/13/arm64},
   *     or a fingerprint
   * @param architecture which is meant otherwise
   * @param type of the instance, of which an alias means the image; a fingerprint is of one anyway
   */
  Offer find(String reference, String architecture, InstanceType type) {
    if (ImageUrl.isFingerprint(reference)) {
      return offers.stream()
          .filter(offer -> offer.fingerprint().equals(reference))
          .findFirst()
          .orElseThrow(() -> StapesException.notFound(subject(reference)));
    }
    List<Offer> named = offers.stream().filter(offer -> isNamed(offer, reference)).toList();
    List<Offer> suffixed =
        offers.stream()
            .filter(offer -> isNamed(offer, withoutArchitecture(offer, reference)))
            .toList();
    String kernelName = Architectures.kernelName(architecture);
    List<Offer> fitting =
        named.stream().filter(offer -> offer.architecture().equals(kernelName)).toList();
    if (fitting.isEmpty() && suffixed.isEmpty() && !named.isEmpty()) {
      Set<String> others = new TreeSet<>();
      named.forEach(offer -> others.add(offer.architecture()));
      throw new StapesException(
          StapesException.Kind.NOT_FOUND,
          subject(reference),
          "not for " + kernelName + " but for " + String.join(", ", others));
    }
    return only(reference, fitting.isEmpty() ? suffixed : fitting, type);
  }

  private Offer only(String reference, List<Offer> candidates, InstanceType type) {
    if (candidates.isEmpty() && aliases.contains(reference)) {
      throw new StapesException(
          StapesException.Kind.NOT_FOUND,
          subject(reference),
          "has no version with all files in one of the forms " + forms);
    }
    if (candidates.isEmpty()) {
      throw StapesException.notFound(subject(reference));
    }
    return candidates.stream()
        .filter(offer -> offer.type() == type)
        .findFirst()
        .orElseThrow(
            () ->
                new StapesException(
                    StapesException.Kind.UNSUPPORTED,
                    subject(reference),
                    type == InstanceType.CONTAINER
                        ? "is there for virtual machines only"
                        : "is there for containers only"));
  }

  private String subject(String reference) {
    return "image \"" + reference + "\" of " + server;
  }

  private static boolean isNamed(Offer offer, String alias) {
    return offer.product().aliases().contains(alias);
  }

  /** Empty where it does not end in that of the offer. */
  private static String withoutArchitecture(Offer offer, String reference) {
    int slash = reference.lastIndexOf('/');
    String end = reference.substring(slash + 1);
    return slash > 0 && Architectures.kernelName(end).equals(offer.architecture())
        ? reference.substring(0, slash)
        : "";
  }

  private static int serials(Offer one, Offer other) {
    return compareSerials(one.version().serial(), other.version().serial());
  }

  /** Numbers in them by their value: {@code 20260101.10} is newer than {@code 20260101.9}. */
  static int compareSerials(String one, String other) {
    String[] ours = BORDERS.split(one);
    String[] theirs = BORDERS.split(other);
    for (int i = 0; i < Math.min(ours.length, theirs.length); i++) {
      int order = compareParts(ours[i], theirs[i]);
      if (order != 0) {
        return order;
      }
    }
    return Integer.compare(ours.length, theirs.length);
  }

  private static int compareParts(String one, String other) {
    if (!isNumber(one) || !isNumber(other)) {
      return one.compareTo(other);
    }
    String ours = one.replaceFirst("^0+", "");
    String theirs = other.replaceFirst("^0+", "");
    int longer = Integer.compare(ours.length(), theirs.length());
    return longer == 0 ? ours.compareTo(theirs) : longer;
  }

  private static boolean isNumber(String text) {
    return !text.isEmpty() && text.chars().allMatch(c -> c >= '0' && c <= '9');
  }
}
