package dev.stapes.qapi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GeneratorTest {
  private static final String BUILTINS =
      """
      {'name':'str','meta-type':'builtin','json-type':'string'},
      {'name':'int','meta-type':'builtin','json-type':'int'},
      {'name':'null','meta-type':'builtin','json-type':'null'},
      {'name':'0','meta-type':'object','members':[]},
      """;

  @TempDir Path directory;

  @Test
  void a_command_is_a_record_of_its_arguments() {
    String source =
        sources(
                """
                {'name':'do-it','meta-type':'command','arg-type':'1','ret-type':'0'},
                {'name':'1','meta-type':'object','members':[
                  {'name':'node-name','type':'str'},{'name':'speed','type':'int','default':null}]}
                """,
                "")
            .get("DoIt.java");
    assertContains(source, "record DoIt(String nodeName, OptionalLong speed,");
    assertContains(source, "implements QmpCommand<Void>");
    assertContains(source, "return \"do-it\";");
    assertContains(source, "public static DoIt of(String nodeName)");
    assertContains(source, "public Builder speed(long speed)");
    assertContains(source, "The command {@code do-it}.");
  }

  @Test
  void a_sentence_becomes_javadoc_and_a_member_has_its_own() {
    String source =
        sources(
                """
                {'name':'do-it','meta-type':'command','arg-type':'1','ret-type':'0',
                 'features':['unstable']},
                {'name':'1','meta-type':'object','members':[{'name':'a','type':'str'}]}
                """,
                "",
                "do-it Does it.\ndo-it.a What to do.")
            .get("DoIt.java");
    assertContains(source, "* Does it. QEMU may change it at any time.");
    assertContains(source, "* @param a What to do.");
  }

  @Test
  void a_union_is_a_sealed_interface_with_a_record_for_each_case_and_one_for_others() {
    String source =
        sources(
                """
                {'name':'get','meta-type':'command','arg-type':'0','ret-type':'[1]'},
                {'name':'[1]','meta-type':'array','element-type':'1'},
                {'name':'1','meta-type':'object','tag':'type',
                 'members':[{'name':'type','type':'2'},{'name':'id','type':'str'}],
                 'variants':[{'case':'file','type':'3'},{'case':'null-co','type':'0'}]},
                {'name':'2','meta-type':'enum','values':['file','null-co']},
                {'name':'3','meta-type':'object','members':[
                  {'name':'child','type':'1','default':null}]}
                """,
                "get() Node\nNode.type NodeType")
            .get("Node.java");
    assertContains(source, "public sealed interface Node extends QmpObject");
    assertContains(source, "record File(String id, Optional<Node> child,");
    assertContains(source, "record NullCo(String id,");
    assertContains(source, "record Unrecognized(String id,");
    assertContains(source, "return NodeType.NULL_CO;");
  }

  @Test
  void a_union_within_a_case_is_written_into_it() {
    String source =
        sources(
                """
                {'name':'set','meta-type':'command','arg-type':'1','ret-type':'0'},
                {'name':'1','meta-type':'object','tag':'type','members':[{'name':'type','type':'2'}],
                 'variants':[{'case':'a','type':'3'}]},
                {'name':'2','meta-type':'enum','values':['a']},
                {'name':'3','meta-type':'object','tag':'kind','members':[{'name':'kind','type':'4'}],
                 'variants':[{'case':'b','type':'0'}]},
                {'name':'4','meta-type':'enum','values':['b']}
                """,
                "set Outer\nOuter.type Type\nOuter=a Inner\nInner.kind Kind")
            .get("Outer.java");
    assertContains(source, "record A(Inner inner)");
    assertContains(source, ".inline(inner)");
  }

  @Test
  void an_alternate_has_a_record_for_each_kind_of_json() {
    String source =
        sources(
                """
                {'name':'set','meta-type':'command','arg-type':'1','ret-type':'0'},
                {'name':'1','meta-type':'object','members':[{'name':'to','type':'2'}]},
                {'name':'2','meta-type':'alternate','members':[
                  {'type':'null'},{'type':'3'},{'type':'4'}]},
                {'name':'3','meta-type':'enum','values':['on']},
                {'name':'4','meta-type':'object','members':[
                  {'name':'again','type':'2','default':null}]}
                """,
                "set.to Target\nTarget|enum Mode\nTarget|object Again")
            .get("Target.java");
    assertContains(source, "record Null()");
    assertContains(source, "record Value(Mode value)");
    assertContains(source, "record Fields(Again value)");
    assertContains(source, "record Unrecognized(JsonNode json)");
  }

  @Test
  void words_of_java_get_an_underscore() {
    String source =
        sources(
                """
                {'name':'set','meta-type':'command','arg-type':'1','ret-type':'0'},
                {'name':'1','meta-type':'object','members':[
                  {'name':'default','type':'str'},{'name':'wait','type':'str'},
                  {'name':'x','type':'2'}]},
                {'name':'2','meta-type':'enum','values':['1g','host_cdrom']}
                """,
                "set.x Size")
            .get("Set.java");
    assertContains(source, "String default_, String wait_, Size x");
  }

  @Test
  void an_event_has_a_time_and_is_read_by_its_name() {
    Map<String, String> sources =
        sources("{'name':'IT_ENDED','meta-type':'event','arg-type':'0'}", "");
    assertContains(sources.get("ItEndedEvent.java"), "record ItEndedEvent(Instant at,");
    assertContains(sources.get("QemuEvent.java"), "case \"IT_ENDED\" -> ItEndedEvent.from(event);");
    assertContains(sources.get("QemuEvent.java"), "default -> event;");
  }

  @Test
  void arguments_of_the_same_name_as_their_command_are_that_command() {
    Map<String, String> sources =
        sources(
            """
            {'name':'drive-backup','meta-type':'command','arg-type':'1','ret-type':'0'},
            {'name':'run','meta-type':'command','arg-type':'2','ret-type':'0'},
            {'name':'1','meta-type':'object','members':[{'name':'a','type':'str'}]},
            {'name':'2','meta-type':'object','members':[{'name':'what','type':'1'}]}
            """,
            "run.what DriveBackup");
    assertContains(sources.get("DriveBackup.java"), "implements QmpCommand<Void>, QmpObject");
    assertContains(sources.get("Run.java"), "record Run(DriveBackup what,");
  }

  @Test
  void a_type_without_a_name_is_refused_with_its_places() {
    assertFails(
        "enum [get()]",
        """
        {'name':'get','meta-type':'command','arg-type':'0','ret-type':'2'},
        {'name':'2','meta-type':'enum','values':['a']}
        """,
        "");
  }

  @Test
  void a_name_is_refused_for_two_types_and_two_names_for_one() {
    String schema =
        """
        {'name':'get','meta-type':'command','arg-type':'0','ret-type':'2'},
        {'name':'put','meta-type':'command','arg-type':'0','ret-type':'3'},
        {'name':'set','meta-type':'command','arg-type':'0','ret-type':'3'},
        {'name':'2','meta-type':'enum','values':['a']},
        {'name':'3','meta-type':'enum','values':['a']}
        """;
    assertFails("two types are named A", schema, "get() A\nput() A");
    assertFails("named B and C", schema, "get() A\nput() B\nset() C");
    assertFails("two types are named Put", schema, "get() A\nput() Put");
  }

  @Test
  void a_name_that_is_none_or_is_of_java_lang_is_refused() {
    String schema =
        """
        {'name':'get','meta-type':'command','arg-type':'0','ret-type':'2'},
        {'name':'2','meta-type':'enum','values':['a']}
        """;
    assertFails("lower is no name of a type", schema, "get() lower");
    assertFails("String is a class of java.lang", schema, "get() String");
  }

  @Test
  void lines_for_what_is_not_there_are_refused() {
    String schema = "{'name':'stop','meta-type':'command','arg-type':'0','ret-type':'0'}";
    assertFails("what is not in the schema: [stop.gone]", schema, "stop.gone Gone");
    assertFails("two lines for a", schema, "a B\na C");
    assertFails("no space in the line: a", schema, "a");
  }

  @Test
  void members_and_values_that_are_the_same_in_java_are_refused() {
    assertFails(
        "two members are aB in Java",
        """
        {'name':'set','meta-type':'command','arg-type':'1','ret-type':'0'},
        {'name':'1','meta-type':'object','members':[
          {'name':'a-b','type':'str'},{'name':'a_b','type':'str'}]}
        """,
        "");
    assertFails(
        "two values are A in Java",
        """
        {'name':'get','meta-type':'command','arg-type':'0','ret-type':'2'},
        {'name':'2','meta-type':'enum','values':['a','A']}
        """,
        "get() Letter");
  }

  @Test
  void kinds_that_are_not_known_are_refused() {
    assertFails(
        "unknown json-type complex",
        """
        {'name':'get','meta-type':'command','arg-type':'0','ret-type':'c'},
        {'name':'c','meta-type':'builtin','json-type':'complex'}
        """,
        "");
    assertFails(
        "unknown meta-type tuple",
        """
        {'name':'get','meta-type':'command','arg-type':'0','ret-type':'2'},
        {'name':'2','meta-type':'tuple'}
        """,
        "get() Pair");
    assertFails(
        "no entry of the name 9",
        "{'name':'get','meta-type':'command','arg-type':'9','ret-type':'0'}",
        "");
  }

  @Test
  void a_file_that_has_not_changed_is_left_alone_and_one_that_is_of_nothing_goes()
      throws IOException {
    Path schemas = directory.resolve("schemas");
    Files.createDirectories(schemas);
    String schema = json("{'name':'stop','meta-type':'command','arg-type':'0','ret-type':'0'}");
    for (String name : new String[] {"qemu-10.0.json", "qemu-7.2.json", "guest-agent.json"}) {
      Files.writeString(schemas.resolve(name), schema);
    }
    Files.writeString(schemas.resolve("names.txt"), "");
    Files.writeString(schemas.resolve("sentences.txt"), "");
    String[] arguments = {schemas.toString(), directory.resolve("java").toString()};
    Generator.main(arguments);
    Path stop = directory.resolve("java/dev/stapes/qmp/qemu/Stop.java");
    Files.setLastModifiedTime(stop, FileTime.fromMillis(1000));
    Path old = Files.writeString(stop.resolveSibling("Old.java"), "");
    Generator.main(arguments);
    assertEquals(1000, Files.getLastModifiedTime(stop).toMillis());
    assertTrue(Files.notExists(old));
  }

  private static Map<String, String> sources(String schema, String names) {
    return sources(schema, names, "");
  }

  private static Map<String, String> sources(String schema, String names, String sentences) {
    try {
      Introspection introspection = Introspection.of(new ObjectMapper().readTree(json(schema)));
      return Generator.sources(
          "a.b",
          ModelReader.read(introspection, Lines.parse("names", names)),
          Lines.parse("sentences", sentences));
    } catch (JsonProcessingException e) {
      throw new AssertionError(e);
    }
  }

  private static String json(String schema) {
    return ("[" + BUILTINS + schema + "]").replace('\'', '"');
  }

  private static void assertContains(@Nullable String source, String part) {
    assertTrue(source != null && source.contains(part), source);
  }

  private static void assertFails(String message, String schema, String names) {
    @Nullable String said =
        assertThrows(SchemaException.class, () -> sources(schema, names)).getMessage();
    assertTrue(said != null && said.contains(message), said);
  }
}
