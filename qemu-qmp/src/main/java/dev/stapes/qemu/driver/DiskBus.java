package dev.stapes.qemu.driver;

import dev.stapes.model.Device;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Machine;
import java.util.Optional;

/** What QEMU has a disk on, and what is said of a choice that it does not have. */
enum DiskBus {
  /** Without a controller. */
  VIRTIO_BLK("virtio-blk", ""),
  /** With one for each disk: so a disk takes one slot, whatever it is on, and goes as a whole. */
  VIRTIO_SCSI("scsi-hd", "virtio-scsi"),
  /** The controller is the disk. QEMU does not save its state. */
  NVME("nvme", ""),
  /** With a controller for each disk, too. */
  USB("usb-storage", "qemu-xhci");

  private static final String VIRTIO = "virtio-";
  private static final String CD = "scsi-cd";

  private final String device;
  private final String controller;

  DiskBus(String device, String controller) {
    this.device = device;
    this.controller = controller;
  }

  /**
   * The one that was chosen for a disk.
   *
   * @param subject for the error
   * @throws StapesException UNSUPPORTED where it is none of disks
   */
  static DiskBus of(String subject, Device.DiskIo io) {
    return switch (io.bus().orElse(Device.DiskIo.Bus.VIRTIO_BLK)) {
      case VIRTIO_BLK -> VIRTIO_BLK;
      case VIRTIO_SCSI -> VIRTIO_SCSI;
      case NVME -> NVME;
      case USB -> USB;
      case VIRTIOFS -> throw refused(subject, "a disk cannot have the bus of directories", io);
    };
  }

  /**
   * The one that a disk has in a form: a CD is on SCSI where nothing was chosen, since nothing else
   * has any.
   *
   * @param subject for the error
   */
  static DiskBus of(String subject, Device.DiskIo io, Machine.Disk.Form form) {
    return form == Machine.Disk.Form.CDROM && io.bus().isEmpty() ? VIRTIO_SCSI : of(subject, io);
  }

  /** What QEMU calls a disk of a form, on a board. On other buses a CD is a disk. */
  String device(String board, Machine.Disk.Form form) {
    return this == VIRTIO_SCSI && form == Machine.Disk.Form.CDROM ? CD : device(board);
  }

  /** What QEMU calls the disk, on a board. */
  String device(String board) {
    return onBoard(device, board);
  }

  /** What QEMU calls the controller that the disk is on, on a board. */
  Optional<String> controller(String board) {
    return controller.isEmpty() ? Optional.empty() : Optional.of(onBoard(controller, board));
  }

  private static String onBoard(String name, String board) {
    if (!name.startsWith(VIRTIO)) {
      return name;
    }
    return name + (board.equals("microvm") ? "-device" : "-pci");
  }

  /**
   * Checks what was chosen for the root disk.
   *
   * @param board QEMU's machine type
   * @throws StapesException UNSUPPORTED
   */
  static void validate(Machine.Spec spec, String board) {
    Device.DiskIo io = spec.root().io();
    String subject = "root disk of instance " + spec.name();
    DiskBus bus = of(subject, io);
    if (board.equals("microvm") && (bus == NVME || bus == USB)) {
      throw refused(subject, "a machine of type microvm has no PCI for it", io);
    }
  }

  /** Checks what was chosen for a device that turns out to be a directory. */
  static void requireOfDirectory(String device, Device.DiskIo io) {
    if (io.bus().filter(bus -> bus != Device.DiskIo.Bus.VIRTIOFS).isPresent()) {
      throw refused("device " + device, "a directory has the bus virtiofs alone", io);
    }
    io.cache()
        .ifPresent(
            cache -> {
              throw new StapesException(
                  Kind.UNSUPPORTED,
                  "device " + device,
                  "a directory has no io.cache: \"" + cache.text() + "\"");
            });
  }

  private static StapesException refused(String subject, String why, Device.DiskIo io) {
    String bus = io.bus().map(Device.DiskIo.Bus::text).orElse("");
    return new StapesException(Kind.UNSUPPORTED, subject, "io.bus: " + why + ": \"" + bus + "\"");
  }

  /**
   * Fails where QEMU cannot write down what a machine is doing.
   *
   * @throws StapesException CONFLICT, naming the disk
   */
  static void requireSavable(Machine.Spec spec) {
    requireSavable(spec, "its root disk", spec.root().io());
    spec.devices()
        .forEach(
            (name, device) -> {
              if (device instanceof Device.Disk disk) {
                requireSavable(spec, "device " + name, disk.io());
              }
            });
  }

  private static void requireSavable(Machine.Spec spec, String what, Device.DiskIo io) {
    if (io.bus().filter(bus -> bus == Device.DiskIo.Bus.NVME).isPresent()) {
      throw new StapesException(
          Kind.CONFLICT,
          "instance " + spec.name(),
          "its memory cannot be saved, nor can it move: QEMU knows no state of a disk with io.bus"
              + " nvme, as "
              + what
              + " is");
    }
  }
}
