package dev.stapes.qemu.driver;

import dev.stapes.model.Config;
import dev.stapes.model.Display.Protocol;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * The screen of a machine.
 *
 * @param protocol by which it is seen
 * @param device QEMU's name of what draws it
 */
record VmGraphics(Protocol protocol, String device) {
  /** What QEMU says where it was built without it, or its module is missing. */
  private static final Pattern NO_SPICE =
      Pattern.compile(
          "There is no option group 'spice'"
              + "|-spice: invalid option"
              + "|(?i:spice) (?:support )?is (?:disabled|not (?:available|compiled|supported))");

  /**
   * What a config asks for.
   *
   * @param board QEMU's machine type
   * @throws StapesException INVALID or UNSUPPORTED, quoting the value
   */
  static Optional<VmGraphics> of(Config config, String board) {
    String display = config.get(QemuKeys.DISPLAY).orElseThrow();
    Optional<String> gpu = config.text(QemuKeys.GPU.name());
    if (display.equals("none")) {
      gpu.ifPresent(
          value -> {
            throw StapesException.invalid(
                "config key " + QemuKeys.GPU.name(),
                "needs a display, which is " + QemuKeys.DISPLAY.name() + ": \"" + value + "\"");
          });
      return Optional.empty();
    }
    if (board.equals("microvm")) {
      throw new StapesException(
          Kind.UNSUPPORTED,
          "config key " + QemuKeys.DISPLAY.name(),
          "a machine of type microvm has no screen: \"" + display + "\"");
    }
    String device = config.get(QemuKeys.GPU).orElseThrow().equals("vga") ? "VGA" : "virtio-vga";
    return Optional.of(
        new VmGraphics(display.equals("spice") ? Protocol.SPICE : Protocol.VNC, device));
  }

  /** Name of its socket in the directory of the machine. */
  String socket() {
    return protocol == Protocol.VNC ? VmFiles.VNC : VmFiles.SPICE;
  }

  /** What shows it, as options of QEMU. */
  List<String> display() {
    return protocol == Protocol.VNC
        ? List.of("-display", "vnc=unix:" + VmFiles.VNC)
        : List.of(
            "-display",
            "none",
            "-spice",
            "unix=on,addr=" + VmFiles.SPICE + ",disable-ticketing=on");
  }

  /**
   * The error of a QEMU that did not start because of it, if that was so.
   *
   * @param complaint of QEMU
   */
  Optional<StapesException> missing(String subject, String complaint, Exception cause) {
    return protocol == Protocol.SPICE && NO_SPICE.matcher(complaint).find()
        ? Optional.of(
            new StapesException(
                Kind.UNSUPPORTED,
                subject,
                "this QEMU has no SPICE: install the package qemu-system-modules-spice: "
                    + complaint,
                cause))
        : Optional.empty();
  }
}
