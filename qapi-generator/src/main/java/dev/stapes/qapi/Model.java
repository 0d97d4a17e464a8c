package dev.stapes.qapi;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;

/**
 * A schema with names.
 *
 * @param commands by their names in the protocol
 * @param events by their names in the protocol
 * @param definitions the types, by the names of their Java
 */
public record Model(
    List<Command> commands, List<Event> events, SortedMap<String, Definition> definitions) {
  /**
   * A member of an object.
   *
   * @param name in the protocol
   * @param type what it holds
   * @param optional whether it may be missing
   * @param features what the schema says of it, such as {@code deprecated}
   */
  public record Member(String name, TypeRef type, boolean optional, Set<String> features) {}

  /**
   * What an object consists of.
   *
   * @param members its members
   * @param inlined a union whose members are its own too
   */
  public record Fields(List<Member> members, Optional<String> inlined) {}

  /**
   * A command.
   *
   * @param name in the protocol
   * @param fields its arguments
   * @param argument the name of the Java type that its arguments are, where they are a type of
   *     their own
   * @param returns nothing where it returns nothing
   * @param features what the schema says of it
   */
  public record Command(
      String name,
      Fields fields,
      Optional<String> argument,
      Optional<TypeRef> returns,
      Set<String> features) {
    /** Of its Java. */
    public String javaName() {
      return JavaNames.type(name);
    }
  }

  /**
   * An event.
   *
   * @param name in the protocol
   * @param members its data
   * @param features what the schema says of it
   */
  public record Event(String name, List<Member> members, Set<String> features) {
    /** Of its Java. */
    public String javaName() {
      return JavaNames.event(name);
    }
  }

  /** A type. */
  public sealed interface Definition {
    /** Of its Java. */
    String name();

    /** The first place that it is used at. */
    String use();
  }

  /**
   * An enum.
   *
   * @param values in the protocol
   */
  public record EnumDefinition(String name, String use, List<String> values)
      implements Definition {}

  /**
   * An object that has the same members always.
   *
   * @param members them
   */
  public record ObjectDefinition(String name, String use, List<Member> members)
      implements Definition {}

  /**
   * An object with members that depend on the value of one.
   *
   * @param tag the one
   * @param members those that are always there, without the tag
   * @param variants one for each value
   */
  public record UnionDefinition(
      String name, String use, Member tag, List<Member> members, List<Variant> variants)
      implements Definition {}

  /**
   * A case of a union.
   *
   * @param value of the tag
   * @param fields of this case alone
   */
  public record Variant(String value, Fields fields) {}

  /**
   * One of several kinds of JSON.
   *
   * @param branches the kinds
   */
  public record AlternateDefinition(String name, String use, List<TypeRef> branches)
      implements Definition {}
}
