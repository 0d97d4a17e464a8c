package dev.stapes.linux;

/** A signal's name and number; see signal(7). The numbers are those of every supported machine. */
public enum Signal {
  HUP(1),
  INT(2),
  QUIT(3),
  KILL(9),
  USR1(10),
  USR2(12),
  PIPE(13),
  ALRM(14),
  TERM(15),
  CHLD(17),
  CONT(18),
  STOP(19),
  WINCH(28),
  PWR(30);

  private final int number;

  Signal(int number) {
    this.number = number;
  }

  /** The number that kill(2) takes. */
  public int number() {
    return number;
  }
}
