package dev.stapes.qmp;

/** The other side refused a command, or could not do it. */
public final class QmpCommandException extends QmpException {
  private static final long serialVersionUID = 1;

  private final String commandName;
  private final String errorClass;
  private final String description;

  QmpCommandException(String subject, String commandName, String errorClass, String description) {
    super(subject + ": " + commandName + ": " + description + " (" + errorClass + ")", null);
    this.commandName = commandName;
    this.errorClass = errorClass;
    this.description = description;
  }

  /** The command's name. */
  public String commandName() {
    return commandName;
  }

  /** What a program can tell errors apart by, such as {@code DeviceNotFound}. */
  public String errorClass() {
    return errorClass;
  }

  /** What is told to people; what was secret in the arguments is blotted out of it. */
  public String description() {
    return description;
  }
}
