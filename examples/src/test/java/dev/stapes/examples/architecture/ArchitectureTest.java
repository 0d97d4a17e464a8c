package dev.stapes.examples.architecture;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noMethods;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.library.dependencies.SliceAssignment;
import com.tngtech.archunit.library.dependencies.SliceIdentifier;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What may see what. CONTRIBUTING.md has the same rules in words. */
@Tag("once")
class ArchitectureTest {
  private static final Set<String> DRIVER_VIEW = Set.of("core", "linux-binding");

  /**
   * The modules that each module may use. A new module is entered here, with as little as it can do
   * with.
   */
  private static final Map<String, Set<String>> MAY_SEE =
      Map.of(
          "core",
          Set.of(),
          "testkit",
          Set.of("core"),
          "linux-binding",
          Set.of("core"),
          "storage-fs",
          DRIVER_VIEW,
          "storage-lvm",
          DRIVER_VIEW,
          "storage-zfs",
          DRIVER_VIEW,
          "lxc-binding",
          DRIVER_VIEW,
          "qapi-generator",
          Set.of(),
          "qemu-qmp",
          DRIVER_VIEW);

  /** These see everything and are seen by nothing. */
  private static final Set<String> PROGRAMS = Set.of("examples", "benchmarks");

  private static final Project PROJECT = Project.here();
  private static final JavaClasses CLASSES = PROJECT.classes();

  @Test
  void every_module_with_code_is_looked_at() {
    Set<String> seen = new TreeSet<>();
    CLASSES.forEach(type -> PROJECT.moduleOf(type).ifPresent(seen::add));
    assertEquals(new TreeSet<>(PROJECT.modulesToLookAt()), seen);
  }

  @Test
  void every_module_has_said_what_it_may_see() {
    Set<String> known = new TreeSet<>(MAY_SEE.keySet());
    known.addAll(PROGRAMS);
    assertEquals(new TreeSet<>(PROJECT.modules()), known);
  }

  @Test
  void a_module_sees_only_what_it_may_see() {
    MAY_SEE.forEach(
        (module, visible) -> {
          Set<String> others = new TreeSet<>(PROJECT.modules());
          others.removeAll(visible);
          others.remove(module);
          check(
              module,
              noClasses().that(areIn(module)).should().dependOnClassesThat(areInAnyOf(others)));
        });
  }

  @Test
  void core_binds_no_native_code() {
    check(
        "core",
        noClasses()
            .that(areIn("core"))
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("com.sun.jna..", "jnr..", "com.kenai..", "java.lang.foreign..")
            .orShould()
            .callMethod(System.class, "load", String.class)
            .orShould()
            .callMethod(System.class, "loadLibrary", String.class));
    check(
        "core",
        noMethods()
            .that()
            .areDeclaredInClassesThat(areIn("core"))
            .should()
            .haveModifier(JavaModifier.NATIVE));
  }

  @Test
  void core_starts_no_process() {
    check(
        "core",
        noClasses()
            .that(areIn("core"))
            .should()
            .dependOnClassesThat()
            .belongToAnyOf(ProcessBuilder.class, Process.class)
            .orShould()
            .callMethodWhere(
                DescribedPredicate.describe(
                    "calls Runtime.exec",
                    call ->
                        call.getTargetOwner().isEquivalentTo(Runtime.class)
                            && call.getName().equals("exec"))));
  }

  /** Every module that core finds through its SPI; linux-binding is one by its host package. */
  @Test
  void drivers_see_only_the_spi_and_the_model_of_core() {
    for (String driver : MAY_SEE.keySet()) {
      if (!driver.equals("core") && !driver.equals("testkit")) {
        check(
            driver,
            noClasses()
                .that(areIn(driver))
                .should()
                .dependOnClassesThat(
                    areIn("core")
                        .and(
                            DescribedPredicate.not(
                                JavaClass.Predicates.resideInAnyPackage(
                                    "dev.stapes.spi..", "dev.stapes.model..")))));
      }
    }
  }

  @Test
  void nothing_outside_of_core_sees_its_internals() {
    for (String module : PROJECT.modulesToLookAt()) {
      if (!module.equals("core")) {
        check(
            module,
            noClasses()
                .that(areIn(module))
                .should()
                .dependOnClassesThat(
                    areIn("core").and(JavaClass.Predicates.resideInAPackage("..internal.."))));
      }
    }
  }

  /** So that each could be lifted out as a library of its own. */
  @Test
  void raw_bindings_import_nothing_of_core() {
    DescribedPredicate<JavaClass> raw =
        JavaClass.Predicates.resideInAnyPackage(
                "dev.stapes.linux..", "dev.stapes.lxc.ffi..", "dev.stapes.qmp..")
            .and(
                DescribedPredicate.not(
                    JavaClass.Predicates.resideInAPackage("dev.stapes.linux.host..")));
    noClasses().that(raw).should().dependOnClassesThat(areIn("core")).check(CLASSES);
  }

  @Test
  void core_is_layered_api_over_internal_over_spi_over_model() {
    classes()
        .that()
        .resideInAPackage("dev.stapes.model..")
        .should()
        .onlyDependOnClassesThat(notInCoreOrIn("dev.stapes.model.."))
        .check(CLASSES);
    classes()
        .that()
        .resideInAPackage("dev.stapes.spi..")
        .should()
        .onlyDependOnClassesThat(notInCoreOrIn("dev.stapes.spi..", "dev.stapes.model.."))
        .check(CLASSES);
    classes()
        .that()
        .resideInAPackage("dev.stapes.internal..")
        .should()
        .onlyDependOnClassesThat(
            notInCoreOrIn("dev.stapes.internal..", "dev.stapes.spi..", "dev.stapes.model.."))
        .allowEmptyShould(
            !PROJECT.packages("core").stream().anyMatch(name -> name.contains(".internal")))
        .check(CLASSES);
  }

  @Test
  void packages_have_no_cycles() {
    slices().assignedFrom(new ByPackage()).should().beFreeOfCycles().check(CLASSES);
  }

  @Test
  void two_modules_never_share_a_package() {
    Map<String, List<String>> owners = new TreeMap<>();
    for (String module : PROJECT.modules()) {
      for (String name : PROJECT.packages(module)) {
        owners.computeIfAbsent(name, key -> new ArrayList<>()).add(module);
      }
    }
    owners.values().removeIf(modules -> modules.size() == 1);
    assertEquals(Map.of(), owners);
  }

  /** But benchmarks: what JMH generates is for the class path. */
  @Test
  void every_module_has_a_module_info() {
    for (String module : PROJECT.modulesWithCode()) {
      assertTrue(
          module.equals("benchmarks")
              || Files.exists(
                  PROJECT.root().resolve(module).resolve("src/main/java/module-info.java")),
          module + " has no module-info.java");
    }
  }

  /** A rule about a module may match nothing only while that module is empty. */
  private static void check(String module, ArchRule rule) {
    rule.allowEmptyShould(PROJECT.mainSources(module).isEmpty()).check(CLASSES);
  }

  private static DescribedPredicate<JavaClass> areIn(String module) {
    return areInAnyOf(Set.of(module));
  }

  private static DescribedPredicate<JavaClass> areInAnyOf(Set<String> modules) {
    return DescribedPredicate.describe(
        "are in " + String.join(" or ", modules),
        type -> PROJECT.moduleOf(type).filter(modules::contains).isPresent());
  }

  private static DescribedPredicate<JavaClass> notInCoreOrIn(String... packages) {
    return DescribedPredicate.not(areIn("core"))
        .or(JavaClass.Predicates.resideInAnyPackage(packages));
  }

  private static final class ByPackage implements SliceAssignment {
    @Override
    public SliceIdentifier getIdentifierOf(JavaClass type) {
      return PROJECT.moduleOf(type).isPresent()
          ? SliceIdentifier.of(type.getPackageName())
          : SliceIdentifier.ignore();
    }

    @Override
    public String getDescription() {
      return "packages";
    }
  }
}
