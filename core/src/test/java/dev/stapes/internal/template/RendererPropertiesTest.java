package dev.stapes.internal.template;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** Whatever a template is, it gives a text or an error that says what is wrong, and soon. */
class RendererPropertiesTest {
  private static final String WORDS =
      "{{ }} {% %} {# #} - if elif else endif for in endfor empty and or not config devices instance"
          + " name . [ ] ( ) | : default split join \"x\" ' \" \\ 1 == < config_get , \"user.a\""
          + " verbatim endverbatim comment {%endif%} {%endfor%} {{y}} {{x| forloop #{ ~ .. is"
          + " contains null \u00e9";
  private static final Set<Kind> EXPECTED = Set.of(Kind.INVALID, Kind.UNSUPPORTED, Kind.EXHAUSTED);
  private static final Map<String, Object> GIVEN =
      Map.of(
          "trigger", "start",
          "path", "/p",
          "instance", Map.of("name", "web"),
          "container", Map.of("name", "web"),
          "config", Map.of("user.a", "1", "user.b", "{{ 2 }}"),
          "devices", Map.of("eth0", Map.of("type", "nic"), "root", Map.of("type", "disk")),
          "properties", Map.of("default", "d"));

  @Provide
  Arbitrary<String> templates() {
    Arbitrary<String> words =
        Arbitraries.oneOf(
            Arbitraries.of(WORDS.split(" ", -1)),
            Arbitraries.of("{% for x, y in devices %}", "{% if config %}", "\n", " ", "\u2028"));
    return Arbitraries.oneOf(
        words.list().ofMaxSize(60).map(parts -> String.join("", parts)),
        words.list().ofMaxSize(60).map(parts -> String.join(" ", parts)),
        Arbitraries.strings().ofMaxLength(200));
  }

  @Property(tries = 4_000)
  void every_template_gives_a_text_or_says_what_is_wrong(@ForAll("templates") String template) {
    assertTimeoutPreemptively(
        Duration.ofSeconds(20),
        () -> {
          try {
            assertTrue(Renderer.render(template, GIVEN).length() <= Renderer.LIMIT);
          } catch (StapesException e) {
            assertTrue(EXPECTED.contains(e.kind()), e.toString());
            assertTrue(e.subject().startsWith("line "), e.toString());
          }
        });
  }

  @Property(tries = 1_000)
  void a_text_without_delimiters_is_given_as_it_is(@ForAll String text) {
    String plain = text.replace("{", "(");
    assertEquals(plain, Renderer.render(plain, GIVEN));
  }

  @Property(tries = 1_000)
  void a_value_of_the_config_is_never_taken_for_a_template(@ForAll String value) {
    String rendered =
        Renderer.render(
            "{{ config.x }}|{% for k, v in config %}{{ v }}{% endfor %}",
            Map.of("config", Map.of("x", value)));
    assertEquals(value + "|" + value, rendered);
  }
}
