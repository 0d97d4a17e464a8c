package dev.stapes;

import dev.stapes.internal.http.HttpSettings;
import dev.stapes.internal.image.BuiltInSources;
import dev.stapes.internal.image.oci.OciFileSource;
import dev.stapes.internal.image.oci.OciSource;
import dev.stapes.internal.image.remote.UrlSource;
import dev.stapes.model.DiskFileSpec;
import dev.stapes.model.ImageMetadata;
import dev.stapes.model.ImageUrl;
import dev.stapes.model.InstanceType;
import dev.stapes.model.OciFileSpec;
import dev.stapes.model.OciImageSpec;
import dev.stapes.spi.ImageSource;
import java.net.URI;
import java.nio.file.Path;
import java.util.Map;

/** The sources of images that come with Stapes. */
public final class ImageSources {
  private ImageSources() {}

  /**
   * A small system, some 2 MB, of this machine's own busybox: no network needed, ready in
   * milliseconds. Its first process is a small script, which shuts down at once when it is asked
   * to. The same busybox file always gives the same image.
   *
   * <p>Importing it fails as UNAVAILABLE where the machine has no busybox, or only one that needs
   * libraries: install the package {@code busybox-static}.
   */
  public static ImageSource busybox() {
    return BuiltInSources.busybox();
  }

  /**
   * A minimal Debian, or derivative, with systemd as its first process. Made by debootstrap(8) in
   * about a minute, from the mirror that this machine's own apt uses; a proxy is taken from the
   * usual environment variables. What it was made with (host name, package lists, machine id) is
   * not in it.
   *
   * <p>Importing it fails as UNAVAILABLE where debootstrap or a mirror is missing, as DENIED
   * without root, and as INTERNAL with the end of its log where debootstrap fails.
   *
   * @param suite such as {@code trixie}
   * @throws dev.stapes.model.StapesException INVALID where that is no name of a suite
   */
  public static ImageSource debootstrap(String suite) {
    return BuiltInSources.debootstrap(suite);
  }

  /**
   * A unified image archive as {@code incus image export} writes it: a tar, plain or compressed by
   * gzip, bzip2, xz, lzma, zstd or lz4, with {@code metadata.yaml} and {@code rootfs/}, or of a
   * virtual machine {@code rootfs.img}, a disk in the format qcow2 or raw.
   *
   * <p>Importing it fails as NOT_FOUND without the file, as INVALID where it is damaged or half of
   * a split image, and as UNSUPPORTED where it is a bare disk, see {@link #disk(Path)}.
   */
  public static ImageSource file(Path archive) {
    return BuiltInSources.file(archive);
  }

  /**
   * A split image: an archive with {@code metadata.yaml}, and another one with the root file system
   * at its root, or a squashfs file system of it (4.0, any compression but LZO), or of a virtual
   * machine its disk, see {@link #disk(Path)}. Archives may be compressed as with {@link #file},
   * each in its own way. The fingerprint is the SHA-256 of both files, one after the other, as with
   * Incus.
   *
   * <p>Importing it fails as {@link #file} does.
   */
  public static ImageSource split(Path metadata, Path rootfs) {
    return BuiltInSources.split(metadata, rootfs);
  }

  /**
   * The disk of a virtual machine: qcow2, vmdk (in one file), vdi, vhdx, vhd, or raw; or an OVA, of
   * which the disk that its machine boots from is taken. Its content says which of them it is, and
   * a file that shows none of these formats is raw. It is kept as it came, and converted by
   * qemu-img(1) once for each pool. The number of CPUs and the memory that an OVA asks for are the
   * properties {@code limits.cpu} and {@code limits.memory} of the image.
   *
   * <p>Importing it fails as NOT_FOUND without the file; as INVALID where it is damaged, encrypted,
   * larger than 16 TiB, or needs other files (a backing file, extents, a parent): such names lead
   * to any file of this machine; as UNSUPPORTED where it is of a format that is not known; and as
   * UNAVAILABLE where the machine has no qemu-img, which only raw disks do not need: install the
   * package {@code qemu-utils}.
   */
  public static ImageSource disk(Path disk) {
    return disk(DiskFileSpec.of(disk));
  }

  /** The same with what nobody can tell from it: system, release, architecture. */
  public static ImageSource disk(DiskFileSpec disk) {
    return BuiltInSources.disk(disk);
  }

  /**
   * An image archive on a server, see {@link #file}: http or https, redirects are followed. A
   * server that answers a HEAD with the headers {@code Incus-Image-URL} and {@code
   * Incus-Image-Hash} (or {@code LXD-...}) is followed to that address, and the image is checked
   * against that hash. Proxies are those of the usual environment variables.
   *
   * <p>Importing it fails as UNAVAILABLE where the server is, as NOT_FOUND or DENIED where it says
   * so, and as {@link #file} does.
   *
   * @throws dev.stapes.model.StapesException INVALID where that is no address
   */
  public static ImageSource url(URI archive) {
    return url(ImageUrl.of(archive));
  }

  /**
   * The same with headers, such as {@code Authorization}, which nobody but the server of that
   * address is told.
   */
  public static ImageSource url(URI archive, Map<String, String> headers) {
    return url(ImageUrl.of(archive).withHeaders(headers));
  }

  /**
   * The same, of two files or with a fingerprint that it must have. A download of one file whose
   * fingerprint is known goes on where it stopped, even after this JVM was killed.
   */
  public static ImageSource url(ImageUrl image) {
    return UrlSource.of(image);
  }

  /**
   * The newest container image of an alias on a server that speaks simplestreams, for this
   * machine's architecture. For more see {@link ImageServer}, of which this is the {@link
   * ImageServer#source source}.
   *
   * @param server such as {@code https://images.example.org}
   * @param alias such as {@code debian/13}
   */
  public static ImageSource simplestreams(URI server, String alias) {
    return simplestreams(server, alias, InstanceType.CONTAINER);
  }

  /** The same for an instance of a type: an alias may have an image for each. */
  public static ImageSource simplestreams(URI server, String alias, InstanceType type) {
    return ImageServer.simplestreams(server).source(alias, type);
  }

  /**
   * A directory with a root file system, owners as on disk. What is below its {@code dev} and
   * sockets are left out.
   */
  public static ImageSource directory(Path rootfs, ImageMetadata metadata) {
    return BuiltInSources.directory(rootfs, metadata);
  }

  /**
   * An image of an OCI registry, such as those that docker(1) builds. Its layers are kept one by
   * one: what an image shares with another is neither brought nor unpacked again. Everything is
   * checked against its SHA-256. The fingerprint is the digest of the image's manifest.
   *
   * <p>Importing it fails as NOT_FOUND where the registry has no such image, or none for the
   * platform; as DENIED where the registry refuses; as UNAVAILABLE where it cannot be reached; as
   * INVALID for what is damaged; and as UNSUPPORTED for what is no image for Linux.
   */
  public static ImageSource oci(OciImageSpec image) {
    return new OciSource(image, HttpSettings.usual(), System::getenv);
  }

  /** The same for a reference such as {@code registry.example.org/team/app:1.2}. */
  public static ImageSource oci(String reference) {
    return oci(OciImageSpec.of(reference));
  }

  /**
   * An image of OCI in files of this machine: an image layout, which is a directory ({@code skopeo
   * copy ... oci:}, {@code buildx --output type=oci,tar=false}) or an archive ({@code podman save
   * --format oci-archive}, {@link Images#export}), or an archive of {@code docker save}, old or
   * new. Archives may be compressed as with {@link #file}. Its content says which of them it is.
   *
   * <p>Everything is checked as of a {@link #oci(OciImageSpec) registry}, and layers that are here
   * already are not read where the files lie open or in a plain archive. The fingerprint is the
   * digest of the image's manifest; what docker(1) before version 25 saved has none, and gets one
   * that is always the same.
   *
   * <p>Importing it fails as NOT_FOUND where there is nothing, or no such image, or none for the
   * platform; as INVALID for what is damaged, leads outside, or is one of several; and as
   * UNSUPPORTED for what is no image for Linux, encrypted or of a Docker before 1.10.
   */
  public static ImageSource oci(Path path) {
    return oci(OciFileSpec.of(path));
  }

  /** The same, of several images the one that is meant, or for another platform. */
  public static ImageSource oci(OciFileSpec image) {
    return new OciFileSource(image);
  }
}
