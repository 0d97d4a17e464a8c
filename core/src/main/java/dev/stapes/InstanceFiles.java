package dev.stapes;

import dev.stapes.internal.engine.Engine;
import dev.stapes.model.InstanceId;
import dev.stapes.model.StapesException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.List;

/**
 * The files of an instance, running or stopped, as its own root sees them: owners are numbers of
 * its own user namespace, and a link to {@code /etc/passwd} means its own. Whatever paths and links
 * say, nothing outside of the instance is read or written.
 */
public final class InstanceFiles {
  private final Engine engine;
  private final InstanceId id;

  InstanceFiles(Engine engine, InstanceId id) {
    this.engine = engine;
    this.id = id;
  }

  /**
   * Reads a regular file, at most 64 MiB; larger ones are EXHAUSTED: use {@link #pull}.
   *
   * @param path absolute, in the instance
   */
  public byte[] read(String path) {
    return engine.files().read(id, path);
  }

  /** Reads a text file as UTF-8. */
  public String readText(String path) {
    return new String(read(path), java.nio.charset.StandardCharsets.UTF_8);
  }

  /**
   * Writes a regular file, owned by root with mode 0644, in place of what it held. A link is
   * followed, inside of the instance: content, owner and mode are those of the file that it leads
   * to. INVALID where something else than a file is there.
   */
  public void write(String path, byte[] content) {
    write(path, content, Attributes.DEFAULT);
  }

  /** Writes a text file as UTF-8, owned by root with mode 0644. */
  public void writeText(String path, String content) {
    write(path, content.getBytes(java.nio.charset.StandardCharsets.UTF_8));
  }

  /** Writes a regular file; owner and mode are set before the content is there to be read. */
  public void write(String path, byte[] content, Attributes attributes) {
    engine
        .files()
        .write(
            id,
            path,
            new java.io.ByteArrayInputStream(content),
            attributes.uid(),
            attributes.gid(),
            attributes.mode());
  }

  /** Writes a regular file from a stream, which is read to its end and not closed. */
  public void write(String path, InputStream content, Attributes attributes) {
    engine.files().write(id, path, content, attributes.uid(), attributes.gid(), attributes.mode());
  }

  /**
   * Copies a file or directory of the host into the instance; an existing directory at the target
   * is merged into and keeps owner and mode, files in it are overwritten. Links are copied as
   * links, owners become root, modes are those on the host without set-user-id and the like. Links
   * that are in the instance already are followed where they lead to a directory that is merged
   * into, or to a file that is overwritten. What is neither file, directory nor link is INVALID; a
   * target of another kind is CONFLICT.
   *
   * @param source on the host
   * @param target in the instance, absolute
   */
  public void push(Path source, String target) {
    engine.files().push(id, source, target);
  }

  /**
   * Copies a file or directory of the instance to the host. Links are copied as links; devices,
   * pipes and sockets are left out. Names and links come as they are, byte for byte, also those
   * that are no valid UTF-8. Files that exist are replaced, directories are merged into; a target
   * that exists as another kind of thing is CONFLICT, and no link on the host is followed. Owner is
   * who this JVM runs as; modes come along without set-user-id and the like.
   *
   * @param source in the instance, absolute
   * @param target on the host
   */
  public void pull(String source, Path target) {
    engine.files().pull(id, source, target);
  }

  /** The names in a directory, sorted. */
  public List<String> list(String path) {
    return engine.files().list(id, path);
  }

  /** Whether there is something at a path. */
  public boolean exists(String path) {
    return engine.files().exists(id, path);
  }

  /** Makes a directory with its parents, owned by root with mode 0755; does nothing where it is. */
  public void makeDirectories(String path) {
    engine.files().makeDirectories(id, path);
  }

  /** Removes a thing and everything below it. NOT_FOUND where there is none. */
  public void delete(String path) {
    engine.files().delete(id, path);
  }

  /**
   * Owner and mode of a file that is written.
   *
   * @param uid inside
   * @param gid inside
   * @param mode permission bits, 0 to 07777
   */
  public record Attributes(long uid, long gid, int mode) {
    /** Root's, 0644. */
    public static final Attributes DEFAULT = new Attributes(0, 0, 0644);

    /** Validates. */
    public Attributes {
      if (uid < 0 || uid > 0xFFFF_FFFEL || gid < 0 || gid > 0xFFFF_FFFEL) {
        throw StapesException.invalid("file", "ids out of range: " + uid + ":" + gid);
      }
      if (mode < 0 || mode > 07777) {
        throw StapesException.invalid("file", "mode must be 0 to 07777: " + mode);
      }
    }
  }
}
