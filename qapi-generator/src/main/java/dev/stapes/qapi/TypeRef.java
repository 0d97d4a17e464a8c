package dev.stapes.qapi;

/** The type of a member. */
public sealed interface TypeRef {
  /** What JSON has by itself. */
  enum Builtin implements TypeRef {
    /** Text. */
    TEXT,
    /** Whole numbers. */
    INT,
    /** Numbers. */
    NUMBER,
    /** True or false. */
    BOOL,
    /** Null. */
    NULL,
    /** Anything. */
    ANY
  }

  /**
   * Lists.
   *
   * @param element of what
   */
  record ListOf(TypeRef element) implements TypeRef {}

  /**
   * A type that the schema defines.
   *
   * @param name of its Java
   */
  record Named(String name) implements TypeRef {}
}
