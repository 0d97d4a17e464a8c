package dev.stapes.testkit;

import java.lang.reflect.AnnotatedElement;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.platform.commons.support.AnnotationSupport;

/**
 * Something that a test needs.
 *
 * @param name what {@code stapes.required} calls it
 * @param missing why it is not there; empty: it is
 */
record Requirement(String name, Optional<String> missing) {

  /** What a class or method is annotated with, directly or by inheritance. */
  static List<Requirement> of(AnnotatedElement element) {
    List<Requirement> all = new ArrayList<>();
    if (AnnotationSupport.isAnnotated(element, RequiresRoot.class)) {
      all.add(root());
    }
    if (AnnotationSupport.isAnnotated(element, RequiresGuest.class)) {
      all.add(new Requirement("test-guest", TestGuest.missing()));
    }
    if (AnnotationSupport.isAnnotated(element, RequiresLab.class)) {
      all.add(new Requirement("lab-vm", LabImage.missing()));
    }
    for (RequiresTool tool :
        AnnotationSupport.findRepeatableAnnotations(element, RequiresTool.class)) {
      all.add(tool(tool.value()));
    }
    for (RequiresKernel kernel :
        AnnotationSupport.findRepeatableAnnotations(element, RequiresKernel.class)) {
      all.add(new Requirement(kernel.value(), KernelFeatures.missing(kernel.value())));
    }
    return all;
  }

  /**
   * Why a test must be skipped; empty: it can run.
   *
   * @throws MissingRequirement where one is missing that {@code stapes.required} lists
   */
  static Optional<String> check(AnnotatedElement element) {
    return check(of(element));
  }

  /** The same for root alone. */
  static Optional<String> checkRoot() {
    return check(List.of(root()));
  }

  private static Optional<String> check(List<Requirement> requirements) {
    Optional<String> skip = Optional.empty();
    for (Requirement requirement : requirements) {
      if (requirement.missing.isPresent()) {
        String reason = requirement.missing.get();
        if (requirement.isRequired()) {
          throw new MissingRequirement(
              reason + " (stapes.required lists " + requirement.name + ")");
        }
        skip = skip.isPresent() ? skip : Optional.of(reason);
      }
    }
    return skip;
  }

  private boolean isRequired() {
    String listed = System.getProperty("stapes.required", "");
    if (listed.isBlank()) {
      listed = Optional.ofNullable(System.getenv("STAPES_REQUIRED")).orElse("");
    }
    for (String required : listed.split(",", -1)) {
      String word = required.strip();
      if (name.equals(word) || (!word.isEmpty() && name.startsWith(word + "-"))) {
        return true;
      }
    }
    return false;
  }

  private static Requirement root() {
    return new Requirement(
        "root",
        KernelFeatures.effectiveUid() == 0
            ? Optional.empty()
            : Optional.of("not root: the effective uid is " + KernelFeatures.effectiveUid()));
  }

  private static Requirement tool(String program) {
    return new Requirement(
        program,
        KernelFeatures.program(program).isPresent()
            ? Optional.empty()
            : Optional.of("program " + program + " not found on PATH or in an sbin directory"));
  }

  /** A requirement that must not be missing is. */
  static final class MissingRequirement extends AssertionError {
    private static final long serialVersionUID = 1L;

    MissingRequirement(String reason) {
      super(reason);
    }
  }
}
