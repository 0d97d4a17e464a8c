package dev.stapes.internal.engine;

import dev.stapes.model.Config;
import dev.stapes.model.InstanceType;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/**
 * What an image says that it needs: its properties {@code requirements.*}, which an instance has in
 * its config. They are checked before an instance is made or changed.
 */
final class ImageRequirements {
  private static final String PREFIX = "image.requirements.";
  private static final Set<String> TRUE = Set.of("true", "1", "yes", "on");
  private static final Set<String> FALSE = Set.of("false", "0", "no", "off");

  private final String subject;
  private final InstanceType type;
  private final Config config;
  private final Drivers drivers;

  private ImageRequirements(String subject, InstanceType type, Config config, Drivers drivers) {
    this.subject = subject;
    this.type = type;
    this.config = config;
    this.drivers = drivers;
  }

  /** Whether a key has to do with them: an instance that met them may have other keys changed. */
  static boolean isAbout(String key) {
    return key.startsWith(PREFIX) || key.startsWith("security.");
  }

  /**
   * Checks a config.
   *
   * @throws StapesException INVALID with what to set, UNSUPPORTED where it cannot be had here
   */
  static void check(String subject, InstanceType type, Config config, Drivers drivers) {
    ImageRequirements image = new ImageRequirements(subject, type, config, drivers);
    if (type == InstanceType.CONTAINER) {
      image.checkContainer();
    } else {
      image.checkMachine();
    }
  }

  private void checkContainer() {
    if (is(PREFIX + "privileged", FALSE) && is("security.privileged", TRUE)) {
      throw StapesException.invalid(
          subject,
          "its image cannot be run privileged (requirements.privileged=false): unset"
              + " security.privileged");
    }
    if (is(PREFIX + "nesting", TRUE) && !is("security.nesting", TRUE)) {
      requireKey("nesting", "security.nesting");
      throw StapesException.invalid(
          subject,
          "its image needs nesting (requirements.nesting=true): set security.nesting=true");
    }
    for (int version = 1; version <= 2; version++) {
      if (is(PREFIX + "cgroup", Set.of("v" + version)) && !drivers.of(type).hasCgroups(version)) {
        throw new StapesException(
            Kind.UNSUPPORTED,
            subject,
            "its image needs cgroups of version "
                + version
                + " (requirements.cgroup=v"
                + version
                + "), which this machine does not have: boot it with them");
      }
    }
  }

  private void checkMachine() {
    if (is(PREFIX + "secureboot", FALSE) && !is("security.secureboot", FALSE)) {
      requireKey("secureboot", "security.secureboot");
      throw StapesException.invalid(
          subject,
          "its image cannot boot under secure boot (requirements.secureboot=false): set"
              + " security.secureboot=false");
    }
    if (is(PREFIX + "cdrom_agent", TRUE)) {
      throw new StapesException(
          Kind.UNSUPPORTED,
          subject,
          "its image needs the agent on a disk (requirements.cdrom_agent=true): there is no disk"
              + " agent:config yet");
    }
  }

  /** The driver has a key with which the requirement can be met. */
  private void requireKey(String requirement, String key) {
    if (drivers.schema(type).find(key).isEmpty()) {
      throw new StapesException(
          Kind.UNSUPPORTED,
          subject,
          "its image has requirements."
              + requirement
              + ", and the driver of a "
              + type
              + " has no key "
              + key);
    }
  }

  private boolean is(String key, Set<String> words) {
    return Optional.ofNullable(config.values().get(key))
        .map(value -> words.contains(value.toLowerCase(Locale.ROOT)))
        .orElse(false);
  }
}
