package dev.stapes.qmp;

/** How the other side talks: who speaks first, whether it numbers its answers, what it tells. */
public final class QmpDialect {
  private final boolean guest;
  private final QmpEventDecoder decoder;

  private QmpDialect(boolean guest, QmpEventDecoder decoder) {
    this.guest = guest;
    this.decoder = decoder;
  }

  /** The monitor of QEMU, and qemu-storage-daemon. Events stay raw, see {@link #events}. */
  public static QmpDialect monitor() {
    return new QmpDialect(false, event -> event);
  }

  /**
   * The guest agent of QEMU: it does not greet, it tells no events, and one command is under way at
   * a time. It is in the hands of the guest: nothing that it says is to be relied on.
   */
  public static QmpDialect guestAgent() {
    return new QmpDialect(true, event -> event);
  }

  /** The same with typed events. */
  public QmpDialect events(QmpEventDecoder typed) {
    return new QmpDialect(guest, typed);
  }

  boolean isGuest() {
    return guest;
  }

  QmpEventDecoder decoder() {
    return decoder;
  }
}
