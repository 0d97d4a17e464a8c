package dev.stapes.qapi;

/** A schema, or a file beside it, that no Java can be written from. */
public final class SchemaException extends RuntimeException {
  private static final long serialVersionUID = 1;

  SchemaException(String message) {
    super(message);
  }
}
