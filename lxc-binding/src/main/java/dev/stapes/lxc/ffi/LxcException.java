package dev.stapes.lxc.ffi;

/** A call of liblxc that failed. The library does not say why; its log does. */
public final class LxcException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final String call;
  private final String subject;

  LxcException(String call, String subject, String problem) {
    super(call + "(" + subject + "): " + problem);
    this.call = call;
    this.subject = subject;
  }

  /** The function of liblxc, such as {@code set_config_item}. */
  public String call() {
    return call;
  }

  /** What it was called for: the container, the key. */
  public String subject() {
    return subject;
  }
}
