package dev.stapes.qmp;

/**
 * A value of an enum of a schema. Each enum has an {@code UNRECOGNIZED}, for what a newer QEMU
 * says; {@link QmpObject#unknownMembers()} then has the text.
 */
public interface QmpEnum {
  /** As the protocol has it; empty for {@code UNRECOGNIZED}. */
  String text();
}
