package dev.stapes.internal.image;

import dev.stapes.internal.image.disk.Disk;
import dev.stapes.internal.image.disk.DiskFormat;
import dev.stapes.internal.image.disk.QemuImg;
import dev.stapes.model.Progress;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.spi.Host;
import dev.stapes.spi.Machine;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.Tree;
import dev.stapes.spi.VolumeId;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;

/**
 * Writes the disk of the image of a virtual machine into an empty volume, as the file, or beside it
 * the device, that a machine has as its disk: byte by byte, with its zeros as holes. The image is
 * not trusted, see {@link Disk}; nothing of the host looks into the disk itself.
 */
final class DiskUnpacker {
  /** Of an archive with a disk in it. */
  static final ArchiveLimits LIMITS = ArchiveLimits.USUAL.unpacked(Size.ofGibibytes(16L << 10));

  /** The disk in an archive, as Incus has it. */
  static final String IN_ARCHIVE = "rootfs.img";

  private static final int CHUNK = 256 << 10;

  private final Host host;
  private final ImageFiles files;
  private final Decoders decoders;

  /**
   * Prepares.
   *
   * @param files give a place for what is on its way
   * @param decoders of archives
   */
  DiskUnpacker(Host host, ImageFiles files, Decoders decoders) {
    this.host = host;
    this.files = files;
    this.decoders = decoders;
  }

  /**
   * Unpacks; what was written before an error stays.
   *
   * @throws StapesException INVALID for what is damaged or hostile; UNAVAILABLE where a program is
   *     missing; INTERRUPTED; what the pool says
   */
  void unpack(
      StoragePool pool, VolumeId volume, ImageParts image, String subject, Progress progress) {
    Target target = new Target(pool, volume, subject, progress);
    if (image.rootfs().isPresent()) {
      target.file(image.rootfs().get(), Disk.read(image.rootfs().get(), subject));
    } else {
      archive(image.archive(), target);
    }
  }

  private void archive(Path archive, Target target) {
    try (ArchiveInput in =
        ArchiveInput.openAhead(archive, LIMITS, decoders, target.progress(), "unpack")) {
      TarReader tar = new TarReader(in, LIMITS);
      boolean found = false;
      // To its end, so that the last checks of the decoder are made.
      for (Optional<TarEntry> next = tar.next(); next.isPresent(); next = tar.next()) {
        if (EntryPath.of(next.get().name(), LIMITS).is(IN_ARCHIVE)) {
          if (found) {
            throw BadArchive.entry(next.get().name(), "a name that is taken already");
          }
          entry(next.get(), tar, target);
          found = true;
        }
      }
      if (!found) {
        throw BadArchive.because("has no " + IN_ARCHIVE);
      }
    }
  }

  private void entry(TarEntry entry, TarReader tar, Target target) {
    byte[] start = start(entry, tar);
    Disk disk = Disk.ofStart(start, entry.size(), target.subject());
    if (disk.format() == DiskFormat.RAW) {
      target.raw(disk, content -> content(start, tar, content));
      return;
    }
    Path work = files.work();
    try {
      Path file = work.resolve("disk");
      try (OutputStream out = new FileOutputStream(file.toFile())) {
        content(start, tar, new ToFile(out, target.subject()));
      } catch (IOException e) {
        throw DiskError.of(target.subject(), "cannot be unpacked", e);
      }
      target.file(file, Disk.read(file, target.subject()));
    } finally {
      files.collect(work);
    }
  }

  /** As far as it is in the archive, which holes are not. */
  static byte[] start(TarEntry entry, TarReader tar) {
    if (entry.kind() != TarEntry.Kind.FILE) {
      throw BadArchive.entry(entry.name(), "must be a file");
    }
    return tar.isSparse() ? new byte[0] : tar.start(Disk.START);
  }

  private static void content(byte[] start, TarReader tar, Content into) {
    Blocks.Block block = new Blocks(Disk.START, 1).take();
    System.arraycopy(start, 0, block.bytes(), 0, start.length);
    into.data(block, 0, start.length);
    tar.content(into);
  }

  /** Hands over what a disk holds. */
  private interface Source {
    void to(Content content);
  }

  /** Where the disk is to be. */
  private final class Target {
    private final StoragePool pool;
    private final VolumeId volume;
    private final String subject;
    private final Progress progress;

    Target(StoragePool pool, VolumeId volume, String subject, Progress progress) {
      this.pool = pool;
      this.volume = volume;
      this.subject = subject;
      this.progress = progress;
    }

    String subject() {
      return subject;
    }

    Progress progress() {
      return progress;
    }

    void file(Path file, Disk found) {
      if (found.format() == DiskFormat.RAW) {
        raw(found, content -> copy(file, found.size(), content));
        return;
      }
      QemuImg qemu = new QemuImg(host, subject);
      Disk disk = qemu.verified(file, found);
      progress.update("convert", 0, disk.size());
      makeDevice(disk);
      try (StoragePool.Attachment attached = pool.attach(volume, Optional.empty(), false)) {
        if (attached.device().isPresent()) {
          qemu.toDevice(file, disk, attached.device().get());
          sync(attached.device().get());
        } else {
          qemu.toRaw(file, disk, attached.path().resolve(Machine.Disk.IMAGE));
        }
      }
      try (Tree tree = pool.tree(volume, Tree.Resolution.BENEATH)) {
        tree.chmod(Machine.Disk.IMAGE, VolumeDisk.MODE);
      }
      progress.update("convert", disk.size(), disk.size());
    }

    private void sync(Path device) {
      try (RandomAccessFile open =
          new RandomAccessFile(host.mounts().local(device).toFile(), "rw")) {
        open.getFD().sync();
      } catch (IOException e) {
        throw DiskError.of(subject, "cannot be written", e);
      }
    }

    private void makeDevice(Disk disk) {
      PairedPool.makeDevice(pool, volume, Size.ofBytes(Math.max(1, disk.size())));
    }

    void raw(Disk disk, Source source) {
      makeDevice(disk);
      try (Tree tree = pool.tree(volume, Tree.Resolution.BENEATH);
          Tree.NewFile file = tree.newFile(Machine.Disk.IMAGE)) {
        SparseContent content = new SparseContent(file);
        source.to(content);
        content.finish();
        file.finish(new Tree.Attributes(0, 0, VolumeDisk.MODE, Map.of(), Instant.EPOCH));
      }
    }

    private void copy(Path file, long size, Content content) {
      Blocks blocks = new Blocks(CHUNK, 1);
      Blocks.Block block = blocks.take();
      try (InputStream in = new FileInputStream(file.toFile())) {
        byte[] bytes = block.bytes();
        long done = 0;
        for (int count = in.read(bytes); count >= 0; count = in.read(bytes)) {
          content.data(block, 0, count);
          done += count;
          progress.update("unpack", done, size);
        }
      } catch (IOException e) {
        throw DiskError.of(subject, "cannot be unpacked", e);
      }
    }
  }

  /** Writes to a file of ours; holes as zeros, for nobody makes a qcow2 with holes. */
  private record ToFile(OutputStream out, String subject) implements Content {
    @Override
    public void data(Blocks.Block block, int offset, int length) {
      try {
        out.write(block.bytes(), offset, length);
      } catch (IOException e) {
        throw DiskError.of(subject, "cannot be unpacked", e);
      }
    }

    @Override
    public void hole(long length) {
      throw BadArchive.because("has holes in a qcow2");
    }
  }
}
