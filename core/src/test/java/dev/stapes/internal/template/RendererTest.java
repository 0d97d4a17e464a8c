package dev.stapes.internal.template;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Templates as published images have them, and what others must not do. */
class RendererTest {
  private static final Map<String, String> WEB =
      Map.of(
          "name", "web",
          "type", "container",
          "architecture", "x86_64",
          "ephemeral", "false",
          "privileged", "false");

  private static final Map<String, Object> GIVEN =
      Map.of(
          "trigger",
          "create",
          "path",
          "/etc/hosts",
          "instance",
          WEB,
          "container",
          WEB,
          "config",
          new TreeMap<>(
              Map.of(
                  "user.colour", "green\n", "user.empty", "", "user.list", "a,b,c", "zero", "0")),
          "devices",
          Map.of(
              "eth0", Map.of("type", "nic", "nictype", "bridged"),
              "root", Map.of("type", "disk")),
          "properties",
          Map.of("default", "#cloud-config\n{}", "empty", ""));

  private static String render(String template) {
    return Renderer.render(template, GIVEN);
  }

  private static StapesException refused(Kind kind, String template) {
    StapesException e = assertThrows(StapesException.class, () -> render(template));
    assertEquals(kind, e.kind(), e.toString());
    return e;
  }

  @Test
  void a_host_name_is_that_of_the_instance() {
    assertEquals("web\n", render("{{ container.name }}\n"));
    assertEquals("web", render("{{ instance.name }}"));
    assertEquals("web", render("{{instance[\"name\"]}}"));
  }

  @Test
  void hosts_keep_their_lines_and_spaces() {
    assertEquals(
        "127.0.0.1\tlocalhost\n127.0.1.1\tweb\n\n::1  ip6-localhost\n",
        render("127.0.0.1\tlocalhost\n127.0.1.1\t{{ instance.name }}\n\n::1  ip6-localhost\n"));
  }

  @Test
  void a_seed_of_cloud_init_has_what_the_config_says_or_the_default_of_the_image() {
    assertEquals(
        "#cloud-config\n{}\n",
        render("{{ config_get(\"user.user-data\", properties.default) }}\n"));
    assertEquals("green\n", render("{{ config_get(\"user.colour\", properties.default) }}\n"));
    assertEquals(
        "instance-id: web\nlocal-hostname: web\n\n",
        render(
            """
            instance-id: {{ container.name }}
            local-hostname: {{ container.name }}
            {{ config_get("user.meta-data", "") }}
            """));
  }

  @Test
  void a_network_config_chooses_by_what_is_set() {
    String template =
        """
        {%- if config_get("user.network", "") == "" -%}
        version: 2
        renderer: {% if trigger == "create" and container.privileged != "true" %}a{% endif %}
        {%- else -%}
        {{ config_get("user.network", "") }}
        {%- endif %}
        """;
    assertEquals("version: 2\nrenderer: a\n", render(template));
    Map<String, Object> other = new HashMap<>(GIVEN);
    other.put("config", Map.of("user.network", "mine: {{ not again }}\n\n"));
    assertEquals("mine: {{ not again }}\n", Renderer.render(template, other));
  }

  @Test
  void loops_go_over_maps_in_the_order_of_their_keys() {
    assertEquals(
        "1 eth0=nic, 2 root=disk.",
        render(
            "{% for name, device in devices %}{{ forloop.Counter }} {{ name }}={{ device.type }}"
                + "{% if forloop.Last %}.{% else %}, {% endif %}{% endfor %}"));
    assertEquals("root eth0 ", render("{% for name in devices reversed %}{{ name }} {% endfor %}"));
    assertEquals(
        "a;b;c;", render("{% for x in config[\"user.list\"]|split:\",\" %}{{ x }};{% endfor %}"));
    assertEquals("none", render("{% for x in nothing %}{{ x }}{% empty %}none{% endfor %}"));
    assertEquals(
        "eth0:nictype eth0:type root:type ",
        render(
            "{% for a, d in devices %}{% for b in d %}{{ a }}:{{ b }} {% endfor %}{% endfor %}"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiterString = " => ",
      value = {
        "x{# a {{ comment }} #}y => xy",
        "x{% comment %}{{ whatever( }}{% endcomment %}y => xy",
        "{% verbatim %}{{ x }}{% endverbatim %} => {{ x }}",
        "{{ nothing }}{{ nothing.at.all }}- => -",
        "{{ \"#{1+1} {{ }} %} \\\" '\" }} => #{1+1} {{ }} %} \" '",
        "{ {{ 1 }} } % => { 1 } %",
        "{{ true }} {{ 007 }} {{ nil }}. => True 7 .",
        "{{ properties.empty|default:\"d\" }} => d",
        "{{ nothing|default_if_none:trigger }} => create",
        "{{ \"Ab\"|upper|lower|capfirst }} => Ab",
        "{{ \"a-b\"|split:\"-\"|join:\"+\" }} => a+b",
        "{{ \"a-b\"|cut:\"-\"|add:\"c\"|length }} => 3",
        "{{ 1|add:2 }}{{ \"7x\"|integer }}{{ \"x\"|first }}{{ \"xy\"|last }} => 30xy",
        "{{ true|yesno:\"on,off\" }} {{ \"\"|yesno }} => on no",
        "{% if config.zero %}a{% endif %}{% if properties.empty %}b{% else %}c{% endif %} => ac",
        "{% if nothing %}a{% elif \"x\" in path %}b{% elif \"/etc\" in path %}c{% endif %} => c",
        "{% if \"eth0\" in devices && !(\"eth1\" in devices) %}y{% endif %} => y",
        "{% if 2 < 10 and \"2\" <= \"10\" and not (3 >= 4) and 4 > 3 %}y{% endif %} => y",
        "{{ nothing or properties.empty or \"z\" }} => z",
        "a {{- \" b \" -}} c => a b c",
        "{{ not nothing }} => True",
      })
  void what_pongo2_gives_is_given(String template, String expected) {
    assertEquals(expected, render(template));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{% include \"/etc/passwd\" %}",
        "{% import \"x\" as y %}",
        "{% extends \"x\" %}",
        "{% set x = 1 %}",
        "{% macro x() %}{% endmacro %}",
        "{% autoescape on %}",
        "{% ssi \"/etc/passwd\" %}",
        "{{ instance.name.getClass() }}",
        "{{ \"\".getClass().forName(\"java.lang.Runtime\") }}",
        "{{ range(1, 1000000000) }}",
        "{{ instance.name|date }}",
        "{{ 1..1000000000 }}",
        "{{ 1 + 1 }}",
        "{{ \"a\" ~ \"b\" }}",
        "{{ [1, 2] }}",
        "{{ 1.5 }}",
        "{{ {\"a\": 1} }}",
        "{{ name = 1 }}",
        "{% if a is defined %}{% endif %}",
        "{{ config_get }}{{ other(1) }}",
        "{{ \"\\x\" }}",
        "{{ 1 < 2 < 3 }}",
        "{{ in }}",
      })
  void what_is_not_translated_is_refused_with_the_line(String construct) {
    StapesException e = refused(Kind.UNSUPPORTED, "a\n\n" + construct);
    assertEquals("line 3", e.subject());
    assertTrue(String.valueOf(e.getMessage()).contains("\""), e.getMessage());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{{",
        "{{ }}",
        "{{ x",
        "{{ \"x }}",
        "{% if x %}",
        "{% endif %}",
        "{% else %}",
        "{# x",
        "{% for x in y %}{% endif %}",
        "{% if x %}{% empty %}{% endif %}",
        "{{ (x }}",
        "{{ x[1 }}",
        "{{ config_get(\"a\") }}",
        "{{ x|upper:1 }}",
        "{{ x| }}",
        "{% verbatim %}",
        "{{ not x == y }}",
        "{{ devices }}",
        "{% if %}{% endif %}",
        "{% %}",
        "{{ x == }}",
      })
  void what_is_no_template_is_refused(String template) {
    StapesException e = assertThrows(StapesException.class, () -> render("a\n" + template));
    assertTrue(e.kind() == Kind.INVALID || e.kind() == Kind.UNSUPPORTED, e.toString());
    assertEquals("line 2", e.subject());
  }

  @Test
  void nothing_but_the_given_names_is_there() {
    for (String name :
        new String[] {
          "_context", "template", "locale", "loop", "meter", "given_config", "text_0"
        }) {
      assertEquals("", render("{{ " + name + " }}"), name);
    }
    assertEquals("", render("{{ instance.class }}{{ instance.name.bytes }}{{ path.length }}"));
  }

  @Test
  void a_rendering_has_limits() {
    Map<String, Object> large = new HashMap<>(GIVEN);
    TreeMap<String, String> config = new TreeMap<>();
    for (int i = 0; i < 1_000; i++) {
      config.put("user." + i, "x".repeat(2_000));
    }
    large.put("config", config);
    String loop = "{% for a in config %}";
    String end = "{% endfor %}";
    for (String template :
        new String[] {
          loop.repeat(8) + end.repeat(8),
          loop + "{% for b, c in config %}{{ c }}" + end + end,
          loop.repeat(3) + "{% if a %}{% endif %}" + end.repeat(3),
          "x".repeat(Renderer.LIMIT + 1),
          "{{ \"" + "x,".repeat(500_000) + "\"|split:\",\"|join:\"" + "y".repeat(9_000) + "\" }}",
        }) {
      StapesException e =
          assertThrows(StapesException.class, () -> Renderer.render(template, large));
      assertEquals(Kind.EXHAUSTED, e.kind(), e.toString());
      assertEquals("line 1", e.subject());
    }
    for (String template :
        new String[] {
          "{{ " + "(".repeat(5_000) + "1" + ")".repeat(5_000) + " }}",
          "{{ " + "(".repeat(90) + "1" + ")".repeat(90) + " }}",
          "{{ " + "not ".repeat(150) + "1 }}",
          "{% if 1 %}".repeat(1_000) + "{% endif %}".repeat(1_000),
          "{{ 1 }}".repeat(20_001),
          "{{ x" + ".y".repeat(90) + " }}",
        }) {
      refused(Kind.INVALID, template);
    }
  }
}
