package dev.stapes.examples.architecture;

import static dev.stapes.examples.architecture.SourceRules.Kind.MAIN;
import static dev.stapes.examples.architecture.SourceRules.Kind.TEST;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.examples.architecture.SourceRules.Kind;
import dev.stapes.examples.architecture.SourceRules.TopLevelType;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("once")
class SourceRulesTest {
  @Test
  void a_file_may_have_500_lines() {
    assertEquals(List.of(), findings("class A {}\n" + "\n".repeat(499), MAIN));
    assertFinds("501 lines", "class A {}\n" + "\n".repeat(500), MAIN);
  }

  @Test
  void a_method_may_have_60_lines() {
    assertEquals(
        List.of(), findings("class A {\nvoid run() {\n" + ";\n".repeat(58) + "}}\n", MAIN));
    assertFinds(
        "A.java:2: run has 61 lines",
        "class A {\nvoid run() {\n" + ";\n".repeat(59) + "}}\n",
        MAIN);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "PoolManager",
        "Helper",
        "PathUtil",
        "PathUtils",
        "InstanceImpl",
        "UserData",
        "ManagerOfPools"
      })
  void a_name_has_no_word_that_says_nothing(String name) {
    assertFinds("the name " + name, "class " + name + " {}", MAIN);
    assertFinds("the name " + name, "class A { record " + name + "() {} }", TEST);
  }

  @ParameterizedTest
  @ValueSource(strings = {"Metadata", "Database", "Utilisation", "Implicit"})
  void a_longer_word_is_another_word(String name) {
    assertEquals(List.of(), findings("class " + name + " {}", MAIN));
  }

  @Test
  void a_suppression_gives_its_reason() {
    assertFinds("A.java:2: @SuppressWarnings", "\n@SuppressWarnings(\"x\") class A {}", MAIN);
    assertFinds(
        "@SuppressWarnings",
        "class A { @SuppressWarnings(\"x\")\nint a; // no reason here\n}",
        MAIN);
    assertEquals(List.of(), findings("@SuppressWarnings(\"x\") // because\nclass A {}", MAIN));
    assertEquals(List.of(), findings("// because\n@SuppressWarnings(\"x\")\nclass A {}", MAIN));
  }

  @ParameterizedTest
  @ValueSource(strings = {"RuntimeException", "Exception", "Error", "Throwable"})
  void shipped_code_throws_typed_errors(String type) {
    String source = "class A { void run() throws Throwable { throw new " + type + "(); } }";
    assertFinds("new " + type, source, MAIN);
    assertEquals(List.of(), findings(source, TEST));
  }

  @Test
  void a_test_is_named_by_a_sentence() {
    assertFinds("the test testIt is no sentence", "class A { @Test void testIt() {} }", TEST);
    assertFinds("the test works is no sentence", "class A { @Property void works() {} }", TEST);
    assertFinds(
        "the test works is no sentence", "class A { class B { @Test void works() {} } }", TEST);
    assertEquals(List.of(), findings("class A { @Test void it_works() {} void helps() {} }", TEST));
    assertEquals(
        List.of(), findings("class A { static class Input { @Test void works() {} } }", TEST));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "org.junit.jupiter.api.Disabled",
        "static org.junit.jupiter.api.Assumptions.assumeTrue",
        "org.opentest4j.TestAbortedException"
      })
  void a_test_is_not_skipped_behind_the_back_of_the_requirements(String name) {
    String source = "import " + name + ";\nclass A {}";
    assertFinds("A.java:1: imports", source, TEST);
    assertEquals(List.of(), findings(source, Kind.TESTKIT));
  }

  @Test
  void top_level_types_are_counted_and_nested_ones_are_not() {
    assertEquals(
        List.of(new TopLevelType("A", true), new TopLevelType("B", false)),
        SourceRules.inspect("A.java", "public class A { public class C {} }\nrecord B() {}", MAIN)
            .types());
  }

  @Test
  void what_does_not_parse_is_a_finding() {
    assertFinds("';' expected", "class A { int a }", MAIN);
  }

  private static void assertFinds(String expected, String source, Kind kind) {
    List<String> findings = findings(source, kind);
    assertTrue(findings.size() == 1 && findings.get(0).contains(expected), findings::toString);
  }

  private static List<String> findings(String source, Kind kind) {
    return SourceRules.inspect("A.java", source, kind).findings();
  }
}
