package dev.stapes.qapi;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.stapes.qapi.Model.Definition;
import dev.stapes.qapi.Model.EnumDefinition;
import dev.stapes.qapi.Model.Member;
import dev.stapes.qapi.Model.ObjectDefinition;
import dev.stapes.qapi.Model.UnionDefinition;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class OlderSchemaTest {
  private static final String COMMON =
      """
      {'name':'get','meta-type':'command','arg-type':'0','ret-type':'1'},
      {'name':'str','meta-type':'builtin','json-type':'string'},
      {'name':'0','meta-type':'object','members':[]},
      """;

  @Test
  void a_member_that_only_one_has_is_optional() throws JsonProcessingException {
    Model model =
        merge(
            "{'name':'1','meta-type':'object','members':["
                + "{'name':'both','type':'str'},{'name':'now','type':'str'}]}",
            "{'name':'1','meta-type':'object','members':["
                + "{'name':'both','type':'str'},{'name':'once','type':'str'}]}",
            "get() Answer");
    assertEquals(
        List.of("both false", "now true", "once true"),
        definition(model, ObjectDefinition.class, "Answer").members().stream()
            .map(OlderSchemaTest::describe)
            .toList());
  }

  @Test
  void values_of_both_are_there() throws JsonProcessingException {
    Model model =
        merge(
            "{'name':'1','meta-type':'enum','values':['a','b']}",
            "{'name':'1','meta-type':'enum','values':['b','c']}",
            "get() Letter");
    assertEquals(
        List.of("a", "b", "c"), definition(model, EnumDefinition.class, "Letter").values());
  }

  @Test
  void commands_and_types_of_the_older_one_alone_are_brought() throws JsonProcessingException {
    Model model =
        merge(
            "{'name':'1','meta-type':'enum','values':['a']}",
            """
            {'name':'1','meta-type':'enum','values':['a']},
            {'name':'gone','meta-type':'command','arg-type':'0','ret-type':'[7]'},
            {'name':'[7]','meta-type':'array','element-type':'7'},
            {'name':'7','meta-type':'object','members':[
              {'name':'letter','type':'1'},{'name':'next','type':'7','default':null}]}
            """,
            "get() Letter\ngone() Gone1");
    assertEquals(
        List.of("get", "gone"), model.commands().stream().map(Model.Command::name).toList());
    assertEquals(
        List.of(new TypeRef.Named("Letter"), new TypeRef.Named("Gone1")),
        definition(model, ObjectDefinition.class, "Gone1").members().stream()
            .map(Member::type)
            .toList());
  }

  @Test
  void cases_of_both_are_there_and_what_was_no_union_adds_nothing() throws JsonProcessingException {
    String union =
        """
        {'name':'1','meta-type':'object','tag':'t','members':[{'name':'t','type':'2'}],
         'variants':[{'case':'a','type':'0'}]},
        {'name':'2','meta-type':'enum','values':['a']}
        """;
    Model model = merge(union, union.replace("'a'", "'b'"), "get() Either\nEither.t EitherType");
    assertEquals(
        List.of("a", "b"),
        definition(model, UnionDefinition.class, "Either").variants().stream()
            .map(Model.Variant::value)
            .toList());
    Model split =
        merge(
            union,
            "{'name':'1','meta-type':'object','members':[{'name':'x','type':'str'}]}",
            "get() Either\nEither.t EitherType");
    assertEquals(List.of(), definition(split, UnionDefinition.class, "Either").members());
  }

  private static <T extends Definition> T definition(Model model, Class<T> type, String name) {
    return type.cast(Objects.requireNonNull(model.definitions().get(name), name));
  }

  private static String describe(Member member) {
    return member.name() + " " + member.optional();
  }

  private static Model merge(String newer, String older, String names)
      throws JsonProcessingException {
    Introspection schema = introspection(newer);
    OlderSchema.add(schema, introspection(older));
    return ModelReader.read(schema, Lines.parse("names", names));
  }

  private static Introspection introspection(String entries) throws JsonProcessingException {
    return Introspection.of(
        new ObjectMapper().readTree(("[" + COMMON + entries + "]").replace('\'', '"')));
  }
}
